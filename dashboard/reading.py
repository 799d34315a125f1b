"""What the stores say right now, and since when one of them says nothing: what every page shows first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from core.errors import DependencyError
from core.storage.live_rules import kept
from core.storage.ports import LiveSnapshot, LiveView, VerdictHistory

COUNTED_OVER = timedelta(hours=1)
FALLBACK_VERDICTS = 200
PROBE_EVERY_S = 5.0
STALE_AFTER_S = 15.0
FLOW = "flow"
READY = "ready"
OLDEST_WAITING = "oldest_waiting_s"
NO_SNAPSHOT = LiveSnapshot(
    verdicts=(), counts={}, counted_at=None, posted_to_alert_s=(), heartbeats=(), updated_at=None
)


@dataclass(frozen=True)
class Reading:
    """One look at the stores.

    Attributes:
        snapshot: from Redis; from the database while Redis is down; the last one read while both are.
        live_down_since, history_down_since: the first failed look in a row; None while the store answers.
    """

    snapshot: LiveSnapshot
    live_down_since: datetime | None = None
    history_down_since: datetime | None = None


class Probe:
    """Asks a store for a sign of life, at most every PROBE_EVERY_S, and remembers since when there is none."""

    def __init__(self, ping: Callable[[], None], clock: Clock) -> None:
        self._ping = ping
        self._clock = clock
        self._asked_s: float | None = None
        self._down_since: datetime | None = None

    def down_since(self) -> datetime | None:
        """The first failed ping in a row; None while the store answers."""
        if self._asked_s is None or self._clock.monotonic_s() - self._asked_s >= PROBE_EVERY_S:
            self._ask()
        return self._down_since

    def _ask(self) -> None:
        try:
            self._ping()
            self._down_since = None
        except DependencyError:
            self._down_since = self._down_since or self._clock.now()
        # Counted from the answer: a ping that runs into its timeout must not be followed by the next one at once.
        self._asked_s = self._clock.monotonic_s()


class Reader:
    """Reads the live view, else the database, else what it read last; a store that is down raises nothing here."""

    def __init__(self, live: LiveView, history: VerdictHistory, clock: Clock) -> None:
        self._live = live
        self._history = history
        self._clock = clock
        self._history_probe = Probe(history.ping, clock)
        self._live_down_since: datetime | None = None
        self._last = NO_SNAPSHOT

    def read(self) -> Reading:
        """One look at the stores."""
        try:
            self._last = self._live.snapshot()
            self._live_down_since = None
        except DependencyError:
            self._live_down_since = self._live_down_since or self._clock.now()
            self._last = self._from_history() or self._last
        return Reading(self._last, self._live_down_since, self._history_probe.down_since())

    def _from_history(self) -> LiveSnapshot | None:
        if self._history_probe.down_since():
            return None
        now = self._clock.now()
        try:
            newest_of_all = self._history.recent(FALLBACK_VERDICTS)
            flagged = self._history.recent(FALLBACK_VERDICTS, flagged_only=True)
            counts = self._history.counts(now - COUNTED_OVER)
        except DependencyError:
            return None
        once_each = {verdict.video_id: verdict for verdict in (*newest_of_all, *flagged)}
        verdicts = kept(once_each.values(), size=FALLBACK_VERDICTS)
        newest = max((verdict.decided_at for verdict in verdicts), default=None)
        return LiveSnapshot(tuple(verdicts), counts, now, posted_to_alert_s=(), heartbeats=(), updated_at=newest)


def current_as_of(snapshot: LiveSnapshot) -> datetime | None:
    """The newest instant at which the view is known to have held everything.

    A flow that is ready and lets nothing wait proves it as well as a new verdict does: quiet is not stale.
    """
    idle = [
        beat.at
        for beat in snapshot.heartbeats
        if beat.kind == FLOW and beat.state == READY and beat.numbers.get(OLDEST_WAITING, 0.0) < STALE_AFTER_S
    ]
    return max((at for at in (snapshot.updated_at, snapshot.counted_at, *idle) if at), default=None)


def is_stale(snapshot: LiveSnapshot, now: datetime) -> bool:
    """Whether the view has shown nothing new for longer than a healthy system ever takes."""
    at = current_as_of(snapshot)
    return at is not None and (now - at).total_seconds() > STALE_AFTER_S
