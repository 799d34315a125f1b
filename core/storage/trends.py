"""Counts for analytics: which buckets new verdicts touched, recounted; pages read the counts, never the rows.

On TimescaleDB the counts of verdicts and waits are continuous aggregates; the tallies of names are tables everywhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import psycopg

from core.storage import tallies

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
BINS = 20
"""How many bins scores are counted in."""
STEP_BASE = 1.1
"""A wait of `step` lasts STEP_BASE ** step seconds."""
FINE_FOR = 2 * DAY
"""How long tallies stay by quarters of an hour; whole days later."""
OVERLAP = timedelta(minutes=10)
"""How long a decided verdict may be on its way into the database."""
COMPRESSED_AFTER = 7 * DAY
"""Of what TimescaleDB compressed nothing is found by when it was decided: what comes later than that is not counted."""

_ORIGIN = datetime(2000, 1, 1, tzinfo=UTC)
_LOCK = b"SELECT pg_advisory_xact_lock(hashtext('trends'))"
# What came late is found by when it was decided.
_TOUCHED = b"""
SELECT DISTINCT date_bin('15 minutes', event_time, TIMESTAMPTZ '2000-01-01 00:00Z') FROM verdicts
WHERE event_time >= %(since)s OR (decided_at >= %(since)s AND event_time >= %(late_from)s)
"""
# Between two refreshes no flow may have run: it begins where the last one ended, the first one with everything.
_SINCE = b"""
SELECT least(%(since)s::timestamptz, coalesce((SELECT at FROM trends_refreshed) - %(overlap)s, %(origin)s)), now()
"""
_REFRESHED = b"""
INSERT INTO trends_refreshed (at) VALUES (%(at)s) ON CONFLICT (is_only) DO UPDATE SET at = excluded.at
"""
_COUNT_VERDICTS = b"""
INSERT INTO verdicts_per_quarter_hour
SELECT date_bin('15 minutes', event_time, TIMESTAMPTZ '2000-01-01 00:00Z'), verdict, label, source, language,
       model_version, policy_version, (CASE WHEN score >= 1 THEN 19 ELSE floor(score * 20) END)::integer,
       count(*), sum(score)
FROM unnest(%(froms)s::timestamptz[], %(untils)s::timestamptz[]) AS span ("from", until)
JOIN verdicts ON event_time >= span."from" AND event_time < span.until
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
_COUNT_WAITS = b"""
INSERT INTO alert_waits_per_quarter_hour (bucket, label, source, language, model_version, step, alerts)
SELECT date_bin('15 minutes', event_time, TIMESTAMPTZ '2000-01-01 00:00Z'), label, source, language, model_version,
       round(ln(greatest(extract(epoch FROM decided_at - event_time)::float8, 0.01)) / ln(1.1::float8))::integer,
       count(*)
FROM unnest(%(froms)s::timestamptz[], %(untils)s::timestamptz[]) AS span ("from", until)
JOIN verdicts ON event_time >= span."from" AND event_time < span.until
WHERE action = 'alert' AND body->>'replay_of' IS NULL
GROUP BY 1, 2, 3, 4, 5, 6
"""
_COUNT_DAYS = b"""
INSERT INTO verdicts_per_day
SELECT date_trunc('day', bucket, 'UTC'), verdict, label, source, language, model_version, policy_version, score_bin,
       sum(videos), sum(score_sum)
FROM unnest(%(froms)s::timestamptz[], %(untils)s::timestamptz[]) AS span ("from", until)
JOIN verdicts_per_quarter_hour ON bucket >= span."from" AND bucket < span.until
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
_REFRESH = b"CALL refresh_continuous_aggregate(%(view)s::regclass, %(since)s::timestamptz, NULL)"
_PLAIN = ("verdicts_per_quarter_hour", "verdicts_per_day", "alert_waits_per_quarter_hour")


@dataclass(frozen=True)
class Span:
    """From an instant up to, and without, another."""

    start: datetime
    end: datetime


def quarter_of(at: datetime) -> datetime:
    """The start of the quarter of an hour this instant lies in."""
    return at - (at - _ORIGIN) % QUARTER


def day_of(at: datetime) -> datetime:
    """The start of its day, UTC."""
    return at - (at - _ORIGIN) % DAY


def spans(touched: Iterable[datetime], *, fine_from: datetime) -> list[Span]:
    """What to recount: touched quarters, whole days where they are before `fine_from`; neighbours as one."""
    chosen = {
        Span(quarter_of(at), quarter_of(at) + QUARTER) if at >= fine_from else Span(day_of(at), day_of(at) + DAY)
        for at in touched
    }
    return _merged(sorted(chosen, key=lambda span: span.start))


def refresh(connection: psycopg.Connection, since: datetime, *, timescale: bool) -> None:
    """Recount whatever verdicts belong to that were posted since then, or came since the last call.

    Two processes that refresh at once take turns.
    """
    from_at, now = _since(connection, since)
    touched = _touched(connection, from_at, timescale=timescale)
    if timescale:
        _refresh_views(connection, min([quarter_of(since), *touched]))
    with connection.transaction():
        connection.execute(_LOCK)
        if not timescale:
            _recount(connection, touched)
        recount_tallies(connection, touched, now=now)
        connection.execute(_REFRESHED, {"at": now})


def recount_tallies(connection: psycopg.Connection, touched: Sequence[datetime], *, now: datetime) -> None:
    """Count authors and hashtags anew around these instants; inside a transaction."""
    fine_from = fine_since(now)
    connection.execute(_LOCK)
    if found := spans(touched, fine_from=fine_from):
        tallies.recount(connection, _arrays(found), fine_from=fine_from)


def fine_since(now: datetime) -> datetime:
    """From when on tallies are by quarters of an hour."""
    return day_of(now) - FINE_FOR


def expire(connection: psycopg.Connection, before: datetime, *, now: datetime, timescale: bool) -> None:
    """Forget what is older, and make days of the tallies that are old enough; inside a transaction."""
    connection.execute(_LOCK)
    for table in (*tallies.TABLES, *(() if timescale else _PLAIN)):
        connection.execute(f"DELETE FROM {table} WHERE bucket < %s".encode(), (before,))  # noqa: S608 - names of ours
    tallies.compact(connection, fine_since(now))


def _since(connection: psycopg.Connection, since: datetime) -> tuple[datetime, datetime]:
    """From when on to look, and the instant this look is of."""
    row = connection.execute(_SINCE, {"since": since, "overlap": OVERLAP, "origin": _ORIGIN}).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM gives one row
    return row[0], row[1].astimezone(UTC)


def _touched(connection: psycopg.Connection, since: datetime, *, timescale: bool) -> list[datetime]:
    late_from = since - COMPRESSED_AFTER if timescale else _ORIGIN
    rows = connection.execute(_TOUCHED, {"since": quarter_of(since), "late_from": late_from})
    return [at.astimezone(UTC) for (at,) in rows]


def _recount(connection: psycopg.Connection, touched: Sequence[datetime]) -> None:
    if not touched:
        return
    quarters, days = (_arrays(spans(touched, fine_from=limit)) for limit in (_ORIGIN, datetime.max.replace(tzinfo=UTC)))
    counts = ((_COUNT_VERDICTS, quarters), (_COUNT_DAYS, days), (_COUNT_WAITS, quarters))
    for table, (count, within) in zip(_PLAIN, counts, strict=True):
        tallies.empty(connection, table, within)
        connection.execute(count, within)


def _refresh_views(connection: psycopg.Connection, oldest: datetime) -> None:
    # Only what changed is counted, however far back the call reaches. A bucket that its start cuts would be left out.
    for view, at in zip(_PLAIN, (oldest, day_of(oldest), oldest), strict=True):
        connection.execute(_REFRESH, {"view": view, "since": at})


def _merged(ordered: Sequence[Span]) -> list[Span]:
    if not ordered:
        return []
    cuts = [0, *(place for place, (left, right) in enumerate(pairwise(ordered), 1) if right.start > left.end)]
    ends = [*cuts[1:], len(ordered)]
    return [Span(ordered[start].start, ordered[end - 1].end) for start, end in zip(cuts, ends, strict=True)]


def _arrays(found: Sequence[Span]) -> tallies.Spans:
    return {"froms": [span.start for span in found], "untils": [span.end for span in found]}
