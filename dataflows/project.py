"""Keeps what is derived true: the screens' counters and view, the minute aggregates, and what retention ends."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Self

import structlog

from core.clock import Clock
from core.errors import DependencyError
from core.storage.ports import LiveView, VerdictHistory

log = structlog.get_logger()

COUNT_EVERY_S = 1.0
AGGREGATE_EVERY_S = 60.0
EXPIRE_EVERY_S = 3_600.0
COUNTED = timedelta(hours=1)
REFRESHED = timedelta(minutes=10)
LOAD = 0.05
"""A chore may take this share of the time: when its table grows it comes round less often."""


class Projector:
    """A thread beside the flow; what it shows comes from the database, so it cannot drift."""

    def __init__(
        self,
        history: VerdictHistory,
        live: LiveView,
        *,
        live_size: int,
        clock: Clock,
        before_aggregates: Callable[[], None] = lambda: None,
    ) -> None:
        self._history = history
        self._live = live
        self._live_size = live_size
        self._clock = clock
        self._before_aggregates = before_aggregates
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)

    def start(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def stop(self, timeout_s: float = 3.0) -> None:
        """End; a store that hangs is not waited for."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def project_once(self) -> None:
        """Rebuild the view if it is empty, then replace the counters."""
        now = self._clock.now()
        if self._live.is_empty():
            recent = self._history.recent
            self._live.rebuild([*recent(self._live_size), *recent(self._live_size, flagged_only=True)], now)
            log.info("live_view.rebuilt")
        self._live.count(self._history.counts(now - COUNTED), now)

    def aggregate_once(self) -> None:
        """Recount the newest buckets."""
        self._before_aggregates()
        self._history.refresh_aggregates(self._clock.now() - REFRESHED)

    def expire_once(self) -> None:
        """Delete what is older than retention."""
        self._history.delete_expired(self._clock.now())

    def _run(self) -> None:
        due_s = self._clock.monotonic_s()
        chores = {
            self.project_once: (COUNT_EVERY_S, due_s),
            self.aggregate_once: (AGGREGATE_EVERY_S, due_s + AGGREGATE_EVERY_S),
            self.expire_once: (EXPIRE_EVERY_S, due_s + AGGREGATE_EVERY_S),
        }
        while not self._stop.wait(0.2):
            for chore, (every_s, at_s) in chores.items():
                if self._clock.monotonic_s() >= at_s:
                    chores[chore] = (every_s, self._do(chore, every_s))

    def _do(self, chore: Callable[[], None], every_s: float) -> float:
        """Do one chore; returns when it is due again."""
        started_s = self._clock.monotonic_s()
        try:
            chore()
        except DependencyError as error:
            # The writer waits for the same stores and says so on /readyz; here the next turn tries again.
            log.debug("projector.waits", reason=str(error))
        ended_s = self._clock.monotonic_s()
        return ended_s + max(every_s, (ended_s - started_s) / LOAD)
