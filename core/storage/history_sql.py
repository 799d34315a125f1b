"""The statements of the history, each one round trip for a whole batch, built from one table of columns."""

from collections.abc import Iterable, Mapping

from psycopg import sql

_SHARED: Mapping[str, str] = {
    "video_id": "text",
    "verdict_id": "text",
    "event_time": "timestamptz",
    "decided_at": "timestamptz",
    "verdict": "text",
    "action": "text",
    "mode": "text",
    "label": "text",
    "score": "float8",
    "failures": "int2",
    "source": "text",
    "language": "text",
    "platform": "text",
    "author_id": "text",
    "media_sha256": "text",
    "caption_sha256": "text",
    "model_version": "text",
    "policy_version": "text",
    "body": "text",
}
"""Columns that `videos` and `verdicts` have in common, with the type each is sent as."""

_RECORD: Mapping[str, str] = {"topic": "text", "partition": "int4", "offset": "int8"}
_CHOICE: Mapping[str, str] = {"replay_of": "text", "content_id": "uuid", "is_fact": "bool", "is_current": "bool"}
_DEAD_LETTER: Mapping[str, str] = {
    **_RECORD,
    "stage": "text",
    "code": "text",
    "message": "text",
    "attempts": "int4",
    "key": "bytea",
    "headers": "text",
    "payload": "bytea",
    "payload_uri": "text",
    "video_id": "text",
    "record_time": "timestamptz",
    "died_at": "timestamptz",
}


def _names(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _values(names: Iterable[str]) -> sql.Composed:
    """Columns as they are stored: JSON travels as text."""
    kinds = {"body": "::json", "headers": "::jsonb"}
    casts = (
        sql.SQL("{0}" + kinds[name] + " AS {0}" if name in kinds else "{0}").format(sql.Identifier(name))
        for name in names
    )
    return sql.SQL(", ").join(casts)


def _arrays(types: Mapping[str, str]) -> sql.Composed:
    # Binary: as text, the quotes in 500 bodies cost the server six times the parsing (measured).
    arrays = (
        sql.SQL("{}::{}[]").format(sql.Placeholder(name, format="b"), sql.SQL(kind)) for name, kind in types.items()
    )
    return sql.SQL("unnest({}) AS columns ({})").format(sql.SQL(", ").join(arrays), _names(types))


def _overwrite(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names)


_SENT = {**_SHARED, **_RECORD, **_CHOICE}
_SEEN = ("topic", "partition", "offset", "video_id", "verdict_id", "event_time", "replay_of")
_CURRENT = (*_SHARED, "partition", "offset")

# One statement: the bodies travel and are parsed once for both tables. PostgreSQL runs every part, also unread ones.
WRITE_VERDICTS = (
    sql.SQL("""
WITH batch AS MATERIALIZED (SELECT {values} FROM {arrays}),
seen AS (
    INSERT INTO sightings ({seen}) SELECT {seen} FROM batch ON CONFLICT DO NOTHING
), fresh AS (
    INSERT INTO contents AS old (content_id, failures, event_time)
    SELECT content_id, failures, event_time FROM batch WHERE is_fact
    ON CONFLICT (content_id) DO UPDATE SET failures = excluded.failures WHERE excluded.failures < old.failures
    RETURNING content_id
), facts AS (
    INSERT INTO verdicts AS old ({shared})
    SELECT {shared} FROM batch WHERE is_fact AND content_id IN (SELECT content_id FROM fresh)
    ON CONFLICT (verdict_id, event_time) DO UPDATE SET {renewed} WHERE excluded.failures < old.failures
    RETURNING verdict_id
), current AS (
    INSERT INTO videos AS old ({current}) SELECT {current} FROM batch WHERE is_current
    ON CONFLICT (video_id) DO UPDATE SET {replaced}
    WHERE (excluded.event_time, excluded.partition, excluded."offset") >= (old.event_time, old.partition, old."offset")
    RETURNING video_id
)
SELECT (SELECT array_agg(verdict_id) FROM facts), (SELECT array_agg(video_id) FROM current)
""")
    .format(
        values=_values(_SENT),
        arrays=_arrays(_SENT),
        seen=_names(_SEEN),
        shared=_names(_SHARED),
        current=_names(_CURRENT),
        renewed=_overwrite(name for name in _SHARED if name not in {"verdict_id", "event_time"}),
        replaced=_overwrite(name for name in _CURRENT if name != "video_id"),
    )
    .as_bytes()
)

WRITE_DEAD_LETTERS = (
    sql.SQL("INSERT INTO dead_letters ({names}) SELECT {values} FROM {arrays} ON CONFLICT DO NOTHING")
    .format(names=_names(_DEAD_LETTER), values=_values(_DEAD_LETTER), arrays=_arrays(_DEAD_LETTER))
    .as_bytes()
)

CURRENT = b"SELECT body::text FROM videos WHERE video_id = %(video_id)s"
_NEWEST = b"ORDER BY event_time DESC, video_id DESC LIMIT %(limit)s"
RECENT = b"SELECT body::text FROM videos " + _NEWEST
# The condition as the index `videos_flagged` has it: an alert is found however many safe videos came after it.
RECENT_FLAGGED = b"SELECT body::text FROM videos WHERE action <> 'none' " + _NEWEST
COUNTS = b"""
SELECT verdict, count(*) FROM videos WHERE event_time > %(since)s GROUP BY verdict
UNION ALL SELECT 'dead_letters', count(*) FROM dead_letters WHERE died_at > %(since)s
"""
DEAD_LETTERS = b"""
SELECT * FROM dead_letters WHERE %(code)s::text IS NULL OR code = %(code)s
ORDER BY died_at DESC, topic, partition, "offset", stage LIMIT %(limit)s
"""
_KEY = b'topic = %(topic)s AND partition = %(partition)s AND "offset" = %(offset)s AND stage = %(stage)s'
DEAD_LETTER = b"SELECT * FROM dead_letters WHERE " + _KEY
MARK_REPLAYED = b"""
UPDATE dead_letters AS letter SET replayed_at = %(at)s
FROM unnest(%(topics)s::text[], %(partitions)s::int4[], %(offsets)s::int8[], %(stages)s::text[])
    AS done (topic, partition, "offset", stage)
WHERE letter.topic = done.topic AND letter.partition = done.partition AND letter."offset" = done."offset"
  AND letter.stage = done.stage
"""

REFRESH_TIMESCALE = b"CALL refresh_continuous_aggregate('verdicts_per_minute', %(since)s::timestamptz, NULL)"
# The lock makes a second housekeeper wait; without it both would insert the same buckets.
REFRESH_PLAIN = (
    b"SELECT pg_advisory_xact_lock(hashtext('verdicts_per_minute'))",
    b"DELETE FROM verdicts_per_minute WHERE bucket >= date_trunc('minute', %(since)s::timestamptz)",
    b"""
    INSERT INTO verdicts_per_minute
    SELECT date_trunc('minute', event_time), verdict, source, language, count(*), sum(score), max(score)
    FROM verdicts WHERE event_time >= date_trunc('minute', %(since)s::timestamptz) GROUP BY 1, 2, 3, 4
    """,
)
NOTE_POLICY = b"""
INSERT INTO policies (policy_version, labels) VALUES (%(version)s, %(labels)s::jsonb)
ON CONFLICT (policy_version) DO NOTHING
"""
EXPIRE = (
    b"DELETE FROM videos WHERE event_time < %(before)s",
    b"DELETE FROM contents WHERE event_time < %(before)s",
    b"DELETE FROM sightings WHERE event_time < %(sightings)s",
    b"DELETE FROM dead_letters WHERE died_at < %(dead_letters)s",
)
EXPIRE_PLAIN = b"DELETE FROM verdicts WHERE event_time < %(before)s"
