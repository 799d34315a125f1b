-- Everything that ingestion ever met: one row an item, from found to posted, or to the code that says why not.
CREATE TABLE items (
    item_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item_key     text COLLATE "C" NOT NULL UNIQUE,
    source       text NOT NULL,
    state        text NOT NULL,
    code         text,
    message      text,
    attempts     integer NOT NULL DEFAULT 0,
    -- Leases that ran out: their holders died with the item in hand.
    deaths       integer NOT NULL DEFAULT 0,
    next_try     timestamptz NOT NULL,
    lease_owner  text,
    lease_until  timestamptz,
    link         text,
    path         text,
    host         text,
    video_id     text COLLATE "C",
    is_distinct  boolean NOT NULL,
    sha256       text COLLATE "C",
    size_bytes   bigint,
    content_type text,
    media_uri    text COLLATE "C",
    caption      text,
    hashtags     jsonb NOT NULL DEFAULT '[]',
    author_id    text,
    platform     text,
    language     text,
    posted_at    timestamptz,
    found_at     timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    provenance   jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX items_due ON items (next_try, item_id) WHERE state IN ('found', 'fetched', 'stored');
CREATE INDEX items_leased ON items (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX items_of_video ON items (video_id);
CREATE INDEX items_of_object ON items (media_uri) WHERE media_uri IS NOT NULL;
CREATE INDEX items_changed ON items (updated_at DESC);
CREATE INDEX items_counted ON items (source, state, code);
-- One video, one event, whatever the code above believes.
CREATE UNIQUE INDEX items_one_video ON items (video_id) WHERE state = 'posted';
CREATE UNIQUE INDEX items_one_content ON items (sha256) WHERE state = 'posted' AND NOT is_distinct;

-- Each time an item was met. A label is what somebody's list said: provenance, never truth.
CREATE TABLE item_sightings (
    item_id bigint NOT NULL REFERENCES items ON DELETE CASCADE,
    seen_at timestamptz NOT NULL,
    source  text NOT NULL,
    link    text,
    hashtag text,
    label   text,
    tool    text,
    terms   text
);
-- The same call made twice is one sighting.
CREATE UNIQUE INDEX item_sightings_key ON item_sightings (item_id, seen_at, source, link, hashtag) NULLS NOT DISTINCT;

-- Events of posted items on their way to the topic. The bytes go once they are known to be there.
CREATE TABLE item_outbox (
    outbox_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item_id      bigint NOT NULL UNIQUE REFERENCES items ON DELETE CASCADE,
    key          bytea NOT NULL,
    value        bytea,
    created_at   timestamptz NOT NULL,
    sending_at   timestamptz,
    sender       text,
    sender_until timestamptz,
    sent_at      timestamptz,
    partition    integer,
    "offset"     bigint
);
CREATE INDEX item_outbox_waiting ON item_outbox (outbox_id) WHERE sent_at IS NULL;

CREATE TABLE paused_sources (
    source    text PRIMARY KEY,
    paused_by text NOT NULL,
    paused_at timestamptz NOT NULL
);

-- What must not be taken in again: kind is item_key, video_id or sha256.
CREATE TABLE tombstones (
    kind         text NOT NULL,
    value        text COLLATE "C" NOT NULL,
    video_id     text COLLATE "C" NOT NULL,
    forgotten_by text NOT NULL,
    forgotten_at timestamptz NOT NULL,
    PRIMARY KEY (kind, value)
);
CREATE INDEX tombstones_of_video ON tombstones (video_id);

CREATE TABLE api_keys (
    key_id     text COLLATE "C" PRIMARY KEY,
    name       text NOT NULL,
    hash       text COLLATE "C" NOT NULL UNIQUE,
    scopes     jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

-- Objects that an item gave up: to be deleted, unless another item needs them. Written with the change itself, so that
-- no process has to live until it deleted what it left behind.
CREATE TABLE doomed_objects (
    media_uri text COLLATE "C" PRIMARY KEY,
    doomed_at timestamptz NOT NULL
);

CREATE FUNCTION doom_object() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO doomed_objects VALUES (OLD.media_uri, now()) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER items_give_up_object AFTER UPDATE OF state, media_uri ON items FOR EACH ROW
WHEN (
    OLD.media_uri IS NOT NULL
    AND (NEW.media_uri IS DISTINCT FROM OLD.media_uri OR NEW.state IN ('repeated', 'refused', 'failed'))
)
EXECUTE FUNCTION doom_object();
CREATE TRIGGER items_leave_object AFTER DELETE ON items FOR EACH ROW
WHEN (OLD.media_uri IS NOT NULL)
EXECUTE FUNCTION doom_object();
