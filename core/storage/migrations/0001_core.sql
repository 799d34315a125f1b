-- Ids and hashes are compared byte by byte (COLLATE "C"): the order is the same on every host, and in Redis.

-- A body is about 2 KB of numbers that compress to nothing: trying costs half of the insert (measured), hence toast_tuple_target.

-- The current verdict of each video: the newest event_time wins, then the later record.
CREATE TABLE videos (
    video_id       text COLLATE "C" PRIMARY KEY,
    verdict_id     text COLLATE "C" NOT NULL,
    event_time     timestamptz NOT NULL,
    decided_at     timestamptz NOT NULL,
    verdict        text NOT NULL,
    action         text NOT NULL,
    mode           text NOT NULL,
    label          text,
    score          double precision,
    failures       smallint NOT NULL,
    source         text NOT NULL,
    language       text,
    platform       text NOT NULL,
    author_id      text,
    media_sha256   text COLLATE "C",
    caption_sha256 text COLLATE "C" NOT NULL,
    model_version  text NOT NULL,
    policy_version text NOT NULL,
    body           json NOT NULL,
    partition      integer NOT NULL,
    "offset"       bigint NOT NULL
) WITH (toast_tuple_target = 8160);
CREATE INDEX videos_recent ON videos (event_time DESC, video_id DESC) INCLUDE (verdict);
CREATE INDEX videos_flagged ON videos (event_time DESC, video_id DESC) WHERE action <> 'none';

-- Facts: what was decided about which content, by which models and policy.
CREATE TABLE verdicts (
    verdict_id     text COLLATE "C" NOT NULL,
    video_id       text COLLATE "C" NOT NULL,
    event_time     timestamptz NOT NULL,
    decided_at     timestamptz NOT NULL,
    verdict        text NOT NULL,
    action         text NOT NULL,
    mode           text NOT NULL,
    label          text,
    score          double precision,
    failures       smallint NOT NULL,
    source         text NOT NULL,
    language       text,
    platform       text NOT NULL,
    author_id      text,
    media_sha256   text COLLATE "C",
    caption_sha256 text COLLATE "C" NOT NULL,
    model_version  text NOT NULL,
    policy_version text NOT NULL,
    body           json NOT NULL,
    PRIMARY KEY (verdict_id, event_time)
) WITH (toast_tuple_target = 8160);
CREATE INDEX verdicts_recent ON verdicts (event_time DESC);
CREATE INDEX verdicts_of_video ON verdicts (video_id, event_time DESC);

-- Which contents have a fact. A hypertable cannot be unique without its time column, so the rule lives here:
-- content_id = hash of video_id, media_sha256, caption_sha256, model_version, policy_version.
CREATE TABLE contents (
    content_id uuid PRIMARY KEY,
    failures   smallint NOT NULL,
    event_time timestamptz NOT NULL
);
CREATE INDEX contents_age ON contents USING brin (event_time);

-- Every record that was read, also those that repeat a fact.
CREATE TABLE sightings (
    topic      text COLLATE "C" NOT NULL,
    partition  integer NOT NULL,
    "offset"   bigint NOT NULL,
    video_id   text COLLATE "C" NOT NULL,
    verdict_id text COLLATE "C" NOT NULL,
    event_time timestamptz NOT NULL,
    replay_of  text,
    PRIMARY KEY (topic, partition, "offset")
);
CREATE INDEX sightings_age ON sightings USING brin (event_time);

CREATE TABLE dead_letters (
    topic       text COLLATE "C" NOT NULL,
    partition   integer NOT NULL,
    "offset"    bigint NOT NULL,
    stage       text COLLATE "C" NOT NULL,
    code        text NOT NULL,
    message     text NOT NULL,
    attempts    integer NOT NULL,
    key         bytea,
    headers     jsonb NOT NULL,
    payload     bytea,
    payload_uri text,
    video_id    text,
    record_time timestamptz NOT NULL,
    died_at     timestamptz NOT NULL,
    replayed_at timestamptz,
    PRIMARY KEY (topic, partition, "offset", stage)
);
CREATE INDEX dead_letters_recent ON dead_letters (died_at DESC);
CREATE INDEX dead_letters_by_code ON dead_letters (code, died_at DESC);

CREATE TABLE review_decisions (
    decision_id text COLLATE "C" PRIMARY KEY,
    video_id    text COLLATE "C" NOT NULL,
    verdict_id  text COLLATE "C" NOT NULL,
    event_time  timestamptz NOT NULL,
    reviewer    text NOT NULL,
    decision    text NOT NULL,
    labels      jsonb NOT NULL DEFAULT '[]',
    reason      text,
    note        text,
    decided_at  timestamptz NOT NULL,
    undone_at   timestamptz
);
CREATE INDEX review_decisions_of_video ON review_decisions (video_id, decided_at DESC);
CREATE INDEX review_decisions_recent ON review_decisions (decided_at DESC);

CREATE TABLE operator_commands (
    command_id  text COLLATE "C" PRIMARY KEY,
    issued_at   timestamptz NOT NULL,
    issued_by   text NOT NULL,
    command     text NOT NULL,
    arguments   jsonb NOT NULL DEFAULT '{}',
    state       text NOT NULL,
    answer      text,
    executed_at timestamptz
);
CREATE INDEX operator_commands_recent ON operator_commands (issued_at DESC);
