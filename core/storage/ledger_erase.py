"""Erasing: what a video left in any table, and objects that nothing needs any more."""

import json
from collections.abc import Callable, Sequence

import psycopg

from core.events import Verdict
from core.storage import trends
from core.storage.history_rows import content_id
from core.storage.items import Forgotten

# The identities under which it could come back: of its items, its ids, its bytes.
_TOMBSTONES = b"""
INSERT INTO tombstones (kind, value, video_id, forgotten_by, forgotten_at)
SELECT DISTINCT kind, value, %(video_id)s, %(by)s, now() FROM (
    SELECT 'video_id' AS kind, %(video_id)s AS value
    UNION ALL SELECT 'item_key', item_key FROM items WHERE video_id = %(video_id)s
    UNION ALL SELECT 'sha256', sha256 FROM items WHERE video_id = %(video_id)s
    UNION ALL SELECT 'sha256', media_sha256 FROM verdicts WHERE video_id = %(video_id)s
) AS identity
WHERE value IS NOT NULL
ON CONFLICT DO NOTHING
"""

# Objects that only its events name; those of items are given up by a trigger.
_DOOM = b"""
INSERT INTO doomed_objects (media_uri, doomed_at)
SELECT DISTINCT uri, now() FROM (
    SELECT body->>'media_uri' AS uri FROM verdicts WHERE video_id = %(video_id)s
    UNION ALL SELECT payload_uri FROM dead_letters
    WHERE video_id = %(video_id)s OR key = convert_to(%(video_id)s, 'UTF8')
) AS object
WHERE uri IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM videos WHERE video_id <> %(video_id)s AND body->>'media_uri' = uri)
ON CONFLICT DO NOTHING
"""

_BODIES = b"SELECT body FROM verdicts WHERE video_id = %(video_id)s"
_TIMES = b"SELECT event_time, now() FROM verdicts WHERE video_id = %(video_id)s"
_CONTENTS = b"DELETE FROM contents WHERE content_id = ANY(%(ids)s)"
_DEAD_LETTERS = b"DELETE FROM dead_letters WHERE video_id = %(video_id)s OR key = convert_to(%(video_id)s, 'UTF8')"
_TABLES = tuple(
    f"DELETE FROM {table} WHERE video_id = %(video_id)s".encode()  # noqa: S608 - names of our own tables
    for table in ("videos", "verdicts", "sightings", "shadow_scores", "review_decisions", "items")
)
_ALERTS = (
    b"DELETE FROM flagged_videos WHERE video_id = %(video_id)s",
    b"DELETE FROM alert_deliveries WHERE video_id = %(video_id)s",
    b"""
    DELETE FROM alert_deliveries WHERE kind = 'digest'
    AND facts @> jsonb_build_object('videos', jsonb_build_array(jsonb_build_object('video_id', %(video_id)s::text)))
    """,
)
_OBJECTS = b"SELECT count(*) FROM doomed_objects WHERE doomed_at = now()"
_AUDIT = b"""
INSERT INTO operator_commands (command_id, issued_at, issued_by, command, arguments, state, answer, executed_at)
VALUES (gen_random_uuid()::text, now(), %(by)s, 'forget', %(arguments)s, 'done', %(answer)s, now())
"""

_CAME_BACK = b"""
SELECT value FROM tombstones
WHERE kind = 'video_id' AND EXISTS (SELECT 1 FROM videos WHERE videos.video_id = tombstones.value)
LIMIT %(limit)s
"""

_NEXT_DOOMED = b"SELECT media_uri FROM doomed_objects ORDER BY doomed_at LIMIT 1"
# Events that never were items name objects too: other producers', and those from before there was a ledger.
_IS_NEEDED = b"""
SELECT EXISTS (SELECT 1 FROM items WHERE media_uri = %(uri)s AND state NOT IN ('repeated', 'refused', 'failed'))
    OR EXISTS (SELECT 1 FROM videos WHERE body->>'media_uri' = %(uri)s)
"""
_REMOVED = b"DELETE FROM doomed_objects WHERE media_uri = %(uri)s"

_KNOWN = b"""
SELECT media_uri FROM items WHERE media_uri = ANY(%(uris)s) AND state NOT IN ('repeated', 'refused', 'failed')
UNION SELECT media_uri FROM doomed_objects WHERE media_uri = ANY(%(uris)s)
"""
# Asked only for those that no item knows: two of the three have no index.
_NAMED = b"""
SELECT body->>'media_uri' FROM videos WHERE body->>'media_uri' = ANY(%(uris)s)
UNION SELECT body->>'media_uri' FROM verdicts WHERE body->>'media_uri' = ANY(%(uris)s)
UNION SELECT payload_uri FROM dead_letters WHERE payload_uri = ANY(%(uris)s)
"""


def forget(connection: psycopg.Connection, video_id: str, by: str) -> Forgotten:
    """Erase a video from every table; to be called inside the transaction that holds the ledger's lock."""
    who = {"video_id": video_id, "by": by}
    connection.execute(_TOMBSTONES, who)
    connection.execute(_DOOM, who)
    bodies = connection.execute(_BODIES, who).fetchall()
    times = connection.execute(_TIMES, who).fetchall()
    contents = {"ids": [content_id(Verdict.model_validate(body)) for (body,) in bodies]}
    rows = connection.execute(_CONTENTS, contents).rowcount
    rows += sum(connection.execute(statement, who).rowcount for statement in (_DEAD_LETTERS, *_TABLES, *_ALERTS))
    if times:
        # Names are of people: an author or hashtag with no other video must not stay in what was counted.
        trends.recount_tallies(connection, [at for at, _ in times], now=times[0][1])
    found = connection.execute(_OBJECTS).fetchone()
    done = Forgotten(rows, int(found[0]) if found else 0)
    answer = f"{done.rows} rows erased, {done.objects} objects to delete"
    connection.execute(_AUDIT, {"by": by, "arguments": json.dumps({"video_id": video_id}), "answer": answer})
    return done


def came_back(connection: psycopg.Connection, limit: int) -> list[str]:
    """The video_ids that were forgotten and have a verdict again."""
    return [video_id for (video_id,) in connection.execute(_CAME_BACK, {"limit": limit})]


def remove_one(connection: psycopg.Connection, delete: Callable[[str], None]) -> bool:
    """Delete the object that waits longest, unless an item or a video needs it; whether there was one."""
    row = connection.execute(_NEXT_DOOMED).fetchone()
    if row is None:
        return False
    uri = {"uri": row[0]}
    needed = connection.execute(_IS_NEEDED, uri).fetchone()
    if not (needed and needed[0]):
        delete(row[0])
    connection.execute(_REMOVED, uri)
    return True


def known_objects(connection: psycopg.Connection, uris: Sequence[str]) -> frozenset[str]:
    """Those that an item, a verdict or a dead letter refers to, or that are to be deleted."""
    known = {uri for (uri,) in connection.execute(_KNOWN, {"uris": list(uris)})}
    rest = [uri for uri in uris if uri not in known]
    if rest:
        known |= {uri for (uri,) in connection.execute(_NAMED, {"uris": rest})}
    return frozenset(known)
