"""What Redis and its in-memory twin must do alike: which verdicts alert, enter the view, are sampled, or were seen."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from core.events import Verdict
from core.labels import Action
from core.storage.history_rows import newest, recency

SAMPLES = 1000
"""How many posted-to-alert samples the view keeps."""

SAMPLES_SPAN = timedelta(hours=1)
"""How far the samples shown reach back from the newest change."""

Sample = tuple[datetime, float]
"""When an alert was published, and the seconds since its record's timestamp."""


def is_flagged(verdict: Verdict) -> bool:
    """Whether a moderator should see it."""
    return verdict.action in {Action.ALERT, Action.REVIEW}


def for_view(verdicts: Iterable[Verdict], *, current: frozenset[str]) -> list[Verdict]:
    """The batch's current verdicts, one per video, oldest first; all of them: any may end the flag of its video."""
    return sorted(newest(verdict for verdict in verdicts if verdict.video_id in current), key=recency)


def in_order(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Newest event_time first; ties as the database and Redis order them."""
    return sorted(verdicts, key=lambda verdict: (verdict.event_time, verdict.video_id), reverse=True)


def kept(verdicts: Iterable[Verdict], *, size: int) -> list[Verdict]:
    """The newest `size`, and the newest `size` flagged ones; in order."""
    ordered = in_order(verdicts)
    flagged = [verdict.video_id for verdict in ordered if is_flagged(verdict)]
    staying = {*(verdict.video_id for verdict in ordered[:size]), *flagged[:size]}
    return [verdict for verdict in ordered if verdict.video_id in staying]


def samples(verdicts: Sequence[Verdict], *, current: frozenset[str], now: datetime) -> list[Sample]:
    """One sample per alert that is current and no replay."""
    alerts = (v for v in newest(verdicts) if v.action is Action.ALERT and v.replay_of is None and v.video_id in current)
    return [(now, (now - verdict.event_time).total_seconds()) for verdict in alerts]


def recent_seconds(kept: Iterable[Sample], updated_at: datetime | None) -> tuple[float, ...]:
    """The seconds of the samples of the last hour."""
    return tuple(seconds for at, seconds in kept if updated_at is None or at > updated_at - SAMPLES_SPAN)


class Seen:
    """Remembers the last verdicts shown, so that each is shown once.

    A verdict_id returns with another outcome when a failed modality was replayed: that is news.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._keys: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def is_new(self, verdict: Verdict) -> bool:
        """Whether it was not shown yet; from now on it was."""
        key = (verdict.verdict_id, verdict.verdict, verdict.action)
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > self._capacity:
            self._keys.popitem(last=False)
        return True
