"""What retraining reads from the database: decisions of moderators and samples of verdicts, under one lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import class_row

from core.errors import StoreUnavailable
from core.labels import HARMFUL_LABEL, Modality
from core.settings import StoreSettings
from core.storage.migrate import readable
from models.drift import Sample

LOCK = 0x72657472
"""The advisory lock of a retraining; it ends with its connection, however the process ends."""
SAMPLE = 20_000

# The latest word on a video counts, with the caption it was said about: a verdict that repeats an older content has no
# fact of its own, only the current row.
_DECISIONS = b"""
SELECT d.decision, d.labels, d.decided_at, v.language, v.body->>'caption' AS caption,
       v.body->>'media_uri' IS NOT NULL AS has_clip
FROM (SELECT DISTINCT ON (video_id) * FROM review_decisions WHERE undone_at IS NULL
      ORDER BY video_id, decided_at DESC, decision_id) d
JOIN LATERAL (
    SELECT language, body FROM verdicts WHERE verdict_id = d.verdict_id AND event_time = d.event_time
    UNION ALL
    SELECT language, body FROM videos WHERE video_id = d.video_id AND verdict_id = d.verdict_id
    LIMIT 1
) v ON true
ORDER BY d.decided_at, d.video_id
"""
_FIRST = b"""
SELECT event_time FROM verdicts WHERE %(model)s = ANY (string_to_array(model_version, '|')) ORDER BY event_time LIMIT 1
"""
# A verdict_id is a hash: its order is a random sample, and the same one each time.
_SAMPLE = b"""
SELECT body->'modalities'->%(modality)s->'scores', length(coalesce(body->>'caption', '')), coalesce(language, 'none')
FROM verdicts
WHERE event_time >= %(since)s AND event_time < %(until)s AND %(model)s = ANY (string_to_array(model_version, '|'))
ORDER BY verdict_id LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Decision:
    """What a moderator said of a video.

    Attributes:
        labels: the kinds of harm named, none where nobody asked.
    """

    decision: str
    labels: list[str]
    decided_at: datetime
    language: str | None
    caption: str | None
    has_clip: bool


class Session:
    """One connection, which holds the lock as long as it lives; see `alone`."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def decisions(self) -> list[Decision]:
        """The standing decision on each video that the database still knows, oldest first."""
        with self._connection.cursor(row_factory=class_row(Decision)) as cursor:
            return cursor.execute(_DECISIONS).fetchall()

    def first_seen(self, model: str) -> datetime | None:
        """When the oldest verdict of a model was, e.g. of `text:3`; None before the first."""
        row = self._connection.execute(_FIRST, {"model": model}).fetchone()
        return row[0] if row else None

    def sample(self, model: str, *, since: datetime, until: datetime) -> Sample:
        """Up to SAMPLE verdicts of the model, drawn at random: score, and for text what its captions are like."""
        modality = model.partition(":")[0]
        asked = {"model": model, "modality": modality, "since": since, "until": until, "limit": SAMPLE}
        rows = [row for row in self._connection.execute(_SAMPLE, asked) if row[0]]
        score = np.array([_harm(scores) for scores, _, _ in rows])
        if modality != Modality.TEXT:
            return Sample({"score": score})
        characters = np.array([count for _, count, _ in rows], dtype=np.float64)
        return Sample({"score": score, "characters": characters}, {"language": [name for _, _, name in rows]})

    def check(self) -> None:
        """Raise StoreUnavailable when the connection, and with it the lock, is gone."""
        self._connection.execute("SELECT 1")


@contextmanager
def alone(settings: StoreSettings) -> Iterator[Session | None]:
    """A session under the lock, or None where another retraining holds it.

    Raises:
        StoreUnavailable: the database does not answer, also from within the block.
    """
    dsn = readable(settings.dsn.get_secret_value())
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=3, prepare_threshold=None) as connection:
            row: Any = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
            yield Session(connection) if row[0] else None
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.UndefinedTable) as error:
        raise StoreUnavailable(f"retraining: {' '.join(str(error).split())}") from error


def _harm(scores: dict[str, float]) -> float:
    return scores.get(HARMFUL_LABEL, max(scores.values()))
