"""What became of a set of posted videos, counted in the database: lost, doubled, dead, decided."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from core.errors import StoreUnavailable
from core.settings import StoreSettings

_DECIDED = "SELECT verdict, count(*) FROM videos WHERE video_id = ANY(%s) GROUP BY verdict"
_DEAD = "SELECT count(*) FROM dead_letters WHERE video_id = ANY(%s)"
_SPAN = "SELECT extract(epoch FROM max(decided_at) - min(event_time)) FROM videos WHERE video_id = ANY(%s)"
# The primary keys forbid doubles; counting them all the same shows when a key is not what it should be.
_DOUBLES = """
SELECT (SELECT count(*) - count(DISTINCT (verdict_id, event_time)) FROM verdicts)
     + (SELECT count(*) - count(DISTINCT video_id) FROM videos)
     + (SELECT count(*) - count(DISTINCT (topic, partition, "offset", stage)) FROM dead_letters)
     + (SELECT count(*) FROM (SELECT 1 FROM verdicts GROUP BY video_id, media_sha256, caption_sha256, model_version,
                              policy_version HAVING count(*) > 1) AS repeated_fact)
"""


@dataclass(frozen=True)
class Audit:
    """The account of one run.

    Attributes:
        lost: posted videos without a verdict row.
        duplicates: repeated keys or facts in the tables.
        span_s: first record timestamp to last decision; None before any.
    """

    posted: int
    verdicts: int
    lost: int
    duplicates: int
    dead_letters: int
    by_verdict: dict[str, int]
    span_s: float | None


def audit(settings: StoreSettings, video_ids: Sequence[str]) -> Audit:
    """Count what the database says about these videos.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    posted = sorted(set(video_ids))
    try:
        with psycopg.connect(settings.dsn.get_secret_value(), connect_timeout=5) as connection:
            by_verdict = {str(kind): int(count) for kind, count in connection.execute(_DECIDED, [posted]).fetchall()}
            dead, doubles, span = (
                (connection.execute(query, values).fetchone() or (None,))[0]
                for query, values in ((_DEAD, [posted]), (_DOUBLES, None), (_SPAN, [posted]))
            )
    except psycopg.Error as error:
        raise StoreUnavailable(f"cannot count verdicts: {' '.join(str(error).split())[:200]}") from error
    return Audit(
        posted=len(posted),
        verdicts=sum(by_verdict.values()),
        lost=len(posted) - sum(by_verdict.values()),
        duplicates=int(doubles or 0),
        dead_letters=int(dead or 0),
        by_verdict=by_verdict,
        span_s=float(span) if span is not None else None,
    )
