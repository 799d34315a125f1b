"""Authors and hashtags with how many of their videos were harmful: counted again when one of the videos is erased."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import psycopg

TABLES = ("author_tallies", "hashtag_tallies")

Spans = Mapping[str, Sequence[datetime]]
"""`froms` and `untils`, of equal length."""

_NAMES = {"author_tallies": b"author_id", "hashtag_tallies": b"hashtag"}
# Each name once per video: repeating a hashtag in a caption makes it no more frequent.
_HASHTAGS = b"""
CROSS JOIN LATERAL (
    SELECT DISTINCT hashtag FROM json_array_elements_text(body->'hashtags') AS hashtag
) AS named
"""
_COUNT = b"""
INSERT INTO %b
SELECT CASE WHEN event_time < %%(fine_from)s THEN date_trunc('day', event_time, 'UTC')
            ELSE date_bin('15 minutes', event_time, TIMESTAMPTZ '2000-01-01 00:00Z') END,
       %b, label, source, language, count(*), count(*) FILTER (WHERE verdict = 'harmful')
FROM unnest(%%(froms)s::timestamptz[], %%(untils)s::timestamptz[]) AS span ("from", until)
JOIN verdicts ON event_time >= span."from" AND event_time < span.until
%b
WHERE %b IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
"""
_EMPTY = b"""
DELETE FROM %b USING unnest(%%(froms)s::timestamptz[], %%(untils)s::timestamptz[]) AS span ("from", until)
WHERE bucket >= span."from" AND bucket < span.until
"""
_COMPACT = b"""
WITH gone AS (
    DELETE FROM %b WHERE bucket < %%(before)s AND bucket <> date_trunc('day', bucket, 'UTC') RETURNING *
)
INSERT INTO %b
SELECT date_trunc('day', bucket, 'UTC'), name, label, source, language, sum(videos), sum(harmful)
FROM gone GROUP BY 1, 2, 3, 4, 5
"""


def recount(connection: psycopg.Connection, spans: Spans, *, fine_from: datetime) -> None:
    """Replace what is counted within the spans; in days before `fine_from`, else in quarters of an hour."""
    for table in TABLES:
        empty(connection, table, spans)
        name = _NAMES[table]
        more = _HASHTAGS if table == "hashtag_tallies" else b""
        connection.execute(_COUNT % (table.encode(), name, more, name), {**spans, "fine_from": fine_from})


def empty(connection: psycopg.Connection, table: str, spans: Spans) -> None:
    """Delete what a table counted within the spans."""
    connection.execute(_EMPTY % table.encode(), spans)


def compact(connection: psycopg.Connection, before: datetime) -> None:
    """Add up quarters of an hour before that day to days."""
    for table in TABLES:
        connection.execute(_COMPACT % (table.encode(), table.encode()), {"before": before})
