"""What every process tells of itself with each heartbeat: how long it runs, how much memory, how fast, what went wrong.

Pure but for /proc; no library is asked, because every process of the platform pays for it every two seconds.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RATE_OVER_S = 60.0
ERROR_CHARS = 300
_STATM = Path("/proc/self/statm")
_BEGAN_S = time.monotonic()
_LEVELS = frozenset({"warning", "error", "critical"})


def vitals() -> dict[str, float]:
    """Seconds since this module was loaded, and bytes of this process's own memory."""
    return {"uptime_s": time.monotonic() - _BEGAN_S, "memory_bytes": float(own_memory_bytes())}


def own_memory_bytes() -> int:
    """Resident memory; 0 where the system has no /proc."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


class Rates:
    """Totals that only grow → what was added per second, over the last minute at most."""

    def __init__(self, *, over_s: float = RATE_OVER_S) -> None:
        self._over_s = over_s
        self._seen: deque[tuple[float, Mapping[str, float]]] = deque()

    def of(self, numbers: Mapping[str, float], now_s: float) -> dict[str, float]:
        """For each number that ends in `_total`: `<stem>_per_s`; nothing at the first look."""
        totals = {name: value for name, value in numbers.items() if name.endswith("_total")}
        while len(self._seen) > 1 and now_s - self._seen[1][0] >= self._over_s:
            self._seen.popleft()
        before_s, before = self._seen[0] if self._seen else (now_s, {})
        self._seen.append((now_s, totals))
        took_s = now_s - before_s
        known = {name: value - before[name] for name, value in totals.items() if name in before and took_s > 0}
        return {f"{name.removesuffix('_total')}_per_s": max(0.0, grown) / took_s for name, grown in known.items()}


@dataclass(frozen=True)
class Trouble:
    """The last line a process logged as a warning or worse."""

    text: str = ""
    at: datetime | None = None


class Troubles:
    """Remembers the last trouble; stands among the log's processors."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = Trouble()

    @property
    def last(self) -> Trouble:
        """The last one; empty without any."""
        with self._lock:
            return self._last

    def __call__(self, _logger: Any, _name: str, event: Any) -> Any:  # noqa: ANN401 - as structlog calls it
        """Pass a line on unchanged."""
        if event.get("level") in _LEVELS:
            why = next((str(event[name]) for name in ("reason", "error", "detail") if event.get(name)), "")
            text = f"{event.get('event', '')}: {why}" if why else str(event.get("event", ""))
            with self._lock:
                self._last = Trouble(text[:ERROR_CHARS], datetime.now(UTC))
        return event


TROUBLES = Troubles()
"""This process's."""
