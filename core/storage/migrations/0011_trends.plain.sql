-- What analytics reads instead of rows; same names and columns as the continuous aggregates. A housekeeping call recounts
-- the buckets that new verdicts touched, for which it must find them by when they were decided.
CREATE INDEX verdicts_decided ON verdicts (decided_at);

-- score_bin: twentieths of the score, 0 to 19.
CREATE TABLE verdicts_per_quarter_hour (
    bucket         timestamptz NOT NULL,
    verdict        text NOT NULL,
    label          text,
    source         text NOT NULL,
    language       text,
    model_version  text NOT NULL,
    policy_version text NOT NULL,
    score_bin      integer,
    videos         bigint NOT NULL,
    score_sum      double precision
);
CREATE INDEX verdicts_per_quarter_hour_bucket ON verdicts_per_quarter_hour (bucket);

CREATE TABLE verdicts_per_day (LIKE verdicts_per_quarter_hour);
CREATE INDEX verdicts_per_day_bucket ON verdicts_per_day (bucket);

-- From an event's record to the decision, alerts only. step: the wait in seconds lies at 1.1 ^ step, within 5 %.
CREATE TABLE alert_waits_per_quarter_hour (
    bucket   timestamptz NOT NULL,
    label    text,
    source   text NOT NULL,
    language text,
    step     integer NOT NULL,
    alerts   bigint NOT NULL
);
CREATE INDEX alert_waits_per_quarter_hour_bucket ON alert_waits_per_quarter_hour (bucket);

-- Names are of people: these rows are recounted when a video is forgotten, hence no continuous aggregate anywhere.
-- A bucket is a quarter of an hour, or the whole day once the day is two days past.
CREATE TABLE author_tallies (
    bucket   timestamptz NOT NULL,
    name     text NOT NULL,
    label    text,
    source   text NOT NULL,
    language text,
    videos   bigint NOT NULL,
    harmful  bigint NOT NULL
);
CREATE INDEX author_tallies_bucket ON author_tallies (bucket);

CREATE TABLE hashtag_tallies (LIKE author_tallies);
CREATE INDEX hashtag_tallies_bucket ON hashtag_tallies (bucket);

-- The thresholds each policy had: its file is known to the flow only, and changes.
CREATE TABLE policies (
    policy_version text COLLATE "C" PRIMARY KEY,
    noted_at       timestamptz NOT NULL DEFAULT now(),
    labels         jsonb NOT NULL
);

-- Up to when everything is counted; one row.
CREATE TABLE trends_refreshed (
    at      timestamptz NOT NULL,
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only)
);
