"""A pass: leave to go out through the gate, with a budget over everything that is done with it."""

import math
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import IngestError
from core.errors_ingest import IngestRedirects, IngestTimeout, IngestTooLarge
from core.telemetry import EGRESS_BYTES, EGRESS_REFUSED


@dataclass(frozen=True)
class Budget:
    """What one pass may cost; `max_redirects` counts those in a row that the gate sees (plain http), None: any."""

    max_bytes: float = math.inf
    max_s: float = math.inf
    max_redirects: int | None = None


class Pass:
    """What a holder knows of its pass, from any thread; `refusals` are in the order they happened."""

    def __init__(self, budget: Budget, *, has_token: bool) -> None:
        self.budget = budget
        self.token = secrets.token_urlsafe(24) if has_token else None
        self.port = 0
        self.moved_bytes = 0
        self._redirects = 0
        self._lock = threading.Lock()
        self._refusals: list[IngestError] = []
        self.on_spent: Callable[[], None] = _nothing

    @property
    def address(self) -> str:
        """Where the gate listens for this pass, host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def proxy_url(self) -> str:
        """What an HTTP client takes as its proxy, with the token."""
        return f"http://clipwarden:{self.token}@{self.address}" if self.token else f"http://{self.address}"

    @property
    def refusals(self) -> tuple[IngestError, ...]:
        """Why the gate said no so far, the first cause first."""
        with self._lock:
            return tuple(self._refusals)

    def note(self, refusal: IngestError) -> None:
        """The gate said no."""
        EGRESS_REFUSED.labels(refusal.code).inc()
        with self._lock:
            self._refusals.append(refusal)

    def spend(self, moved_bytes: int) -> None:
        """Bytes moved, in either direction.

        Raises:
            IngestTooLarge: the budget is used up.
        """
        EGRESS_BYTES.inc(moved_bytes)
        self.moved_bytes += moved_bytes
        if self.moved_bytes > self.budget.max_bytes:
            self.on_spent()
            raise IngestTooLarge(f"over {self.budget.max_bytes} bytes were moved, more than the settings allow")

    def follow(self, *, is_redirect: bool) -> None:
        """An answer came.

        Raises:
            IngestRedirects: one redirect too many.
        """
        self._redirects = self._redirects + 1 if is_redirect else 0
        if self.budget.max_redirects is not None and self._redirects > self.budget.max_redirects:
            raise IngestRedirects(f"more than {self.budget.max_redirects} redirects in a row")

    def expire(self) -> None:
        """The time is up."""
        self.note(IngestTimeout(f"it took more than {self.budget.max_s:g} s"))
        self.on_spent()


def _nothing() -> None:
    """Before the gate opened."""
