"""Time comes in by constructor: instants are aware UTC, durations are monotonic seconds."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What a stage needs of time."""

    def now(self) -> datetime:
        """The present instant, aware UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        return time.monotonic()


@dataclass
class FixedClock:
    """A clock that stands until a test moves it."""

    at: datetime
    elapsed_s: float = 0.0

    def now(self) -> datetime:
        """The instant it was set to."""
        return self.at

    def monotonic_s(self) -> float:
        """The seconds it was set to."""
        return self.elapsed_s
