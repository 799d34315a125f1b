"""The statements of the ledger, each one round trip for a whole batch."""

from core.errors_ingest import IngestForgotten, IngestRepeat
from core.storage.ledger_rows import (
    CONTENT_COLUMNS,
    GIVEN_COLUMNS,
    ITEM_COLUMNS,
    NEW_COLUMNS,
    SIGHTING_COLUMNS,
    recordset,
)
from core.storage.ledger_rules import FORGOTTEN_MESSAGE

LOCK = 0x6C656467
"""The advisory lock of whoever decides that two items are one video, or deletes what one of them needed."""

MAX_DEATHS = 20
"""So many workers may die with an item in hand; a worker that is killed takes innocent items along."""

_ITEMS = ", ".join(f"items.{name}" for name in ITEM_COLUMNS)
_OPEN = "state IN ('found', 'fetched', 'stored')"
_FREE = "(lease_until IS NULL OR lease_until < now())"
_UNLEASED = "lease_owner = NULL, lease_until = NULL"
_GIVEN = f"jsonb_to_recordset(%(items)s::jsonb) AS given({recordset(GIVEN_COLUMNS)})"

ALONE = f"SELECT pg_advisory_xact_lock({LOCK})".encode()

FOUND = f"""
INSERT INTO items (source, state, next_try, found_at, updated_at, {", ".join(NEW_COLUMNS)})
SELECT DISTINCT ON (item_key) source, 'found', now(), now(), now(), {", ".join(NEW_COLUMNS)}
FROM {_GIVEN}
WHERE NOT EXISTS (
    SELECT 1 FROM tombstones
    WHERE (kind, value) IN (
        ('item_key', given.item_key), ('video_id', given.video_id),
        ('sha256', CASE WHEN given.item_key LIKE 'sha256:%%' THEN substr(given.item_key, 8) END)
    )
)
ORDER BY item_key
ON CONFLICT (item_key) DO NOTHING
""".encode()  # noqa: S608 - built from the names of our own fields

SEEN = f"""
INSERT INTO item_sightings (item_id, {", ".join(SIGHTING_COLUMNS)})
SELECT items.item_id, seen_at, given.source, seen_link, hashtag, label, tool, terms
FROM {_GIVEN} JOIN items USING (item_key)
FOR KEY SHARE OF items
ON CONFLICT DO NOTHING
""".encode()  # noqa: S608 - as above

BY_KEY = f"SELECT {_ITEMS} FROM items WHERE item_key = ANY(%(keys)s)".encode()  # noqa: S608 - as above
BY_ID = f"SELECT {_ITEMS} FROM items WHERE item_id = ANY(%(ids)s)".encode()  # noqa: S608 - as above
OF_VIDEO = f"SELECT {_ITEMS} FROM items WHERE video_id = %(video_id)s ORDER BY item_id".encode()  # noqa: S608

CHANGED = f"""
SELECT {_ITEMS} FROM items
WHERE (%(source)s::text IS NULL OR source = %(source)s)
  AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(code)s::text IS NULL OR code = %(code)s)
ORDER BY updated_at DESC, item_id DESC LIMIT %(limit)s
""".encode()  # noqa: S608 - as above

BURY = f"""
UPDATE items
SET state = 'failed', code = 'ingest.crashed', {_UNLEASED}, updated_at = now(),
    message = 'its worker died ' || deaths + 1 || ' times; retry it, or leave it'
WHERE lease_owner IS NOT NULL AND lease_until < now() AND deaths + 1 >= {MAX_DEATHS} AND {_OPEN}
""".encode()  # noqa: S608 - as above

CLAIM = f"""
WITH due AS (
    SELECT item_id FROM items
    WHERE {_OPEN} AND state = ANY(%(states)s) AND next_try <= now() AND {_FREE}
      AND (%(keys)s::text[] IS NULL OR item_key = ANY(%(keys)s))
      AND (%(any_host)s OR host IS NULL OR host = %(host)s)
      AND NOT EXISTS (SELECT 1 FROM paused_sources WHERE paused_sources.source = items.source)
    ORDER BY next_try, item_id LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE items
SET deaths = deaths + (lease_owner IS NOT NULL)::int,
    lease_owner = %(owner)s, lease_until = now() + make_interval(secs => %(lease_s)s)
FROM due WHERE items.item_id = due.item_id
RETURNING {_ITEMS}
""".encode()  # noqa: S608 - as above

RENEW = b"UPDATE items SET lease_until = now() + make_interval(secs => %(lease_s)s) WHERE lease_owner = %(owner)s"

RELEASE = f"""
UPDATE items SET {_UNLEASED}
WHERE lease_owner = %(owner)s AND (%(ids)s::bigint[] IS NULL OR item_id = ANY(%(ids)s))
""".encode()  # noqa: S608 - as above

# What keeps an item from being a video of its own: that it was forgotten, or that another is posted as the same one.
_FATE = """
    EXISTS (
        SELECT 1 FROM tombstones
        WHERE (kind, value) IN (('item_key', i.item_key), ('video_id', c.video_id), ('sha256', c.sha256))
    ) AS is_forgotten,
    (
        SELECT twin.video_id FROM items AS twin
        WHERE twin.state = 'posted' AND twin.item_id <> i.item_id
          AND (twin.video_id = c.video_id
               OR (twin.sha256 = c.sha256 AND NOT twin.is_distinct AND NOT i.is_distinct))
        ORDER BY twin.item_id LIMIT 1
    ) AS twin
"""

JUDGE_CONTENTS = f"""
SELECT i.item_id, {_FATE}
FROM jsonb_to_recordset(%(contents)s::jsonb) AS c(item_id bigint, video_id text, sha256 text)
JOIN items AS i USING (item_id)
WHERE i.lease_owner = %(owner)s AND i.state IN ('found', 'fetched')
""".encode()  # noqa: S608 - as above

JUDGE_STORED = f"""
SELECT i.item_id, {_FATE}, i.video_id, CASE WHEN NOT i.is_distinct THEN i.sha256 END AS sha256
FROM items AS i JOIN items AS c USING (item_id)
WHERE i.item_id = ANY(%(ids)s) AND i.lease_owner = %(owner)s
  AND (i.state = 'stored' OR (i.state = 'fetched' AND i.media_uri IS NULL))
""".encode()  # noqa: S608 - as above

FORGOTTEN = f"""
UPDATE items
SET state = 'refused', code = '{IngestForgotten.code}', message = '{FORGOTTEN_MESSAGE}',
    {_UNLEASED}, updated_at = now(), caption = NULL, author_id = NULL, hashtags = '[]'
WHERE item_id = ANY(%(ids)s)
""".encode()  # noqa: S608 - as above

REPEATED = f"""
UPDATE items
SET state = 'repeated', code = '{IngestRepeat.code}', message = NULL, video_id = t.video_id,
    {_UNLEASED}, updated_at = now()
FROM unnest(%(ids)s::bigint[], %(twins)s::text[]) AS t(item_id, video_id)
WHERE items.item_id = t.item_id
""".encode()  # noqa: S608 - as above

_KEPT = ("caption", "author_id", "platform", "language", "posted_at")
_TAKEN = ("video_id", "sha256", "size_bytes", "content_type", "media_uri")

FETCHED = f"""
UPDATE items
SET state = 'fetched', code = NULL, message = NULL, updated_at = now(),
    {", ".join(f"{name} = c.{name}" for name in _TAKEN)},
    {", ".join(f"{name} = coalesce(c.{name}, items.{name})" for name in _KEPT)},
    hashtags = CASE c.hashtags WHEN '[]' THEN items.hashtags ELSE c.hashtags END,
    provenance = items.provenance || c.provenance
FROM jsonb_to_recordset(%(contents)s::jsonb) AS c({recordset(CONTENT_COLUMNS)})
WHERE items.item_id = c.item_id AND items.item_id = ANY(%(ids)s)
""".encode()  # noqa: S608 - as above

STORED = b"""
UPDATE items SET state = 'stored', updated_at = now()
WHERE item_id = ANY(%(ids)s) AND lease_owner = %(owner)s AND state = 'fetched'
"""

POSTED = f"""
UPDATE items SET state = 'posted', code = NULL, message = NULL, {_UNLEASED}, updated_at = now()
WHERE item_id = ANY(%(ids)s)
""".encode()  # noqa: S608 - as above

REFUSED = f"""
UPDATE items SET state = 'refused', code = %(code)s, message = %(message)s, {_UNLEASED}, updated_at = now()
WHERE item_id = %(item_id)s AND lease_owner = %(owner)s AND {_OPEN}
""".encode()  # noqa: S608 - as above

LATER = f"""
UPDATE items
SET attempts = attempts + 1, code = %(code)s, message = %(message)s, next_try = %(next_try)s, {_UNLEASED},
    updated_at = now(), state = CASE WHEN attempts + 1 >= %(max_attempts)s THEN 'failed' ELSE state END
WHERE item_id = %(item_id)s AND lease_owner = %(owner)s AND {_OPEN}
RETURNING state
""".encode()  # noqa: S608 - as above

RETRY = b"""
UPDATE items
SET state = 'found', attempts = 0, deaths = 0, code = NULL, message = NULL, next_try = now(), updated_at = now()
WHERE state IN ('refused', 'failed') AND code IS DISTINCT FROM 'ingest.forgotten'
  AND (%(source)s::text IS NULL OR source = %(source)s)
  AND (%(code)s::text IS NULL OR code = %(code)s)
  AND (%(item_id)s::bigint IS NULL OR item_id = %(item_id)s)
"""

PAUSE = b"INSERT INTO paused_sources VALUES (%(source)s, %(by)s, now()) ON CONFLICT DO NOTHING"
RESUME = b"DELETE FROM paused_sources WHERE source = %(source)s"
PAUSED = b"SELECT source FROM paused_sources"

SIGHTINGS = f"""
SELECT {", ".join(SIGHTING_COLUMNS)} FROM item_sightings WHERE item_id = %(item_id)s ORDER BY seen_at
""".encode()  # noqa: S608 - as above
COUNTS = b"SELECT source, state, code, count(*) FROM items GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
OLDEST = f"SELECT min(found_at) FROM items WHERE {_OPEN}".encode()  # noqa: S608 - as above

# The outbox.

OUTBOX = b"""
INSERT INTO item_outbox (item_id, key, value, created_at)
SELECT item_id, key, value, now() FROM unnest(%(ids)s::bigint[], %(keys)s::bytea[], %(values)s::bytea[])
AS post(item_id, key, value)
"""


def _take(which: str, mark: str) -> bytes:
    return f"""
WITH taken AS (
    SELECT outbox_id FROM item_outbox WHERE sent_at IS NULL AND {which}
    ORDER BY outbox_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE item_outbox
SET {mark} sender = %(owner)s, sender_until = now() + make_interval(secs => %(lease_s)s)
FROM taken WHERE item_outbox.outbox_id = taken.outbox_id
RETURNING item_outbox.outbox_id, item_id, key, value
""".encode()  # noqa: S608 - as above


OUTGOING = _take("sending_at IS NULL", "sending_at = now(),")
# They keep the instant at which the sender that is gone began: what it sent lies behind that.
STRANDED = _take("sending_at IS NOT NULL AND sender_until < now()", "")

OFFSETS = b"""
SELECT partition, max("offset") FROM item_outbox
WHERE sent_at < (SELECT min(sending_at) FROM item_outbox WHERE outbox_id = ANY(%(ids)s))
GROUP BY partition
"""
SENT = b"""
UPDATE item_outbox SET sent_at = now(), partition = d.partition, "offset" = d.at, value = NULL
FROM unnest(%(ids)s::bigint[], %(partitions)s::int[], %(offsets)s::bigint[]) AS d(outbox_id, partition, at)
WHERE item_outbox.outbox_id = d.outbox_id AND sent_at IS NULL
"""
UNSENT = b"""
UPDATE item_outbox SET sending_at = NULL, sender = NULL, sender_until = NULL
WHERE outbox_id = ANY(%(ids)s) AND sender = %(owner)s AND sent_at IS NULL
"""
WAITING = b"SELECT count(*), min(created_at) FROM item_outbox WHERE sent_at IS NULL"
