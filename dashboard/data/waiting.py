"""How much waits on each page, for the counts in the navigation: one read for all of them, each with an end."""

from datetime import timedelta
from enum import StrEnum

from core.access import Capability, Person
from core.clock import Clock
from core.storage.database import Database

LOOKED_BACK = timedelta(days=1)
MOST = 100
"""Nothing is counted further than this."""

# An alert is no "none" by itself; said all the same, for the index of what was flagged to be found.
_COUNTS = b"""
SELECT
(SELECT count(*) FROM (
    SELECT 1 FROM videos WHERE action = 'alert' AND action <> 'none' AND event_time >= %(since)s AND NOT EXISTS (
        SELECT 1 FROM review_decisions AS review WHERE review.video_id = videos.video_id AND review.undone_at IS NULL)
    LIMIT %(most)s) AS undecided),
(SELECT count(*) FROM (
    SELECT 1 FROM dead_letters WHERE %(platform)s AND replayed_at IS NULL LIMIT %(most)s) AS open),
(SELECT count(*) FROM (
    SELECT 1 FROM items WHERE %(platform)s AND state IN ('refused', 'failed') AND updated_at >= %(since)s
    LIMIT %(most)s) AS refused)
"""


class Waits(StrEnum):
    """What waits for a person."""

    ALERTS = "alerts"
    DEAD_LETTERS = "dead_letters"
    REFUSED = "refused"


class Waiting:
    """Reads for whoever may see verdicts; safe to share between threads."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def counts(self, person: Person) -> dict[Waits, int]:
        """Alerts of the last day that nobody decided, dead letters that nobody replayed, what ended badly in that day.

        At most MOST of each; the last two only for who may see the platform.

        Raises:
            Forbidden: the person may not see verdicts.
            StoreUnavailable: the database does not answer.
        """
        person.require(Capability.SEE_VERDICTS)
        sees_platform = person.may(Capability.SEE_PLATFORM)
        values = {"since": self._clock.now() - LOOKED_BACK, "most": MOST, "platform": sees_platform}
        with self._database.connection() as connection:
            (row,) = connection.execute(_COUNTS, values).fetchall()
        counts = dict(zip(Waits, row, strict=True))
        return counts if sees_platform else {Waits.ALERTS: counts[Waits.ALERTS]}
