-- What analytics reads instead of rows: materialised only, so that a page never counts raw rows. The flow refreshes the
-- newest buckets each minute; the policies follow with what came late.
CREATE INDEX IF NOT EXISTS verdicts_decided ON verdicts (decided_at);

CREATE MATERIALIZED VIEW IF NOT EXISTS verdicts_per_quarter_hour
WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
SELECT
    time_bucket(INTERVAL '15 minutes', event_time) AS bucket,
    verdict,
    label,
    source,
    language,
    model_version,
    policy_version,
    (CASE WHEN score >= 1 THEN 19 ELSE floor(score * 20) END)::integer AS score_bin,
    count(*) AS videos,
    sum(score) AS score_sum
FROM verdicts
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
WITH NO DATA;

CREATE MATERIALIZED VIEW IF NOT EXISTS verdicts_per_day
WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
SELECT
    time_bucket(INTERVAL '1 day', bucket) AS bucket,
    verdict,
    label,
    source,
    language,
    model_version,
    policy_version,
    score_bin,
    sum(videos)::bigint AS videos,
    sum(score_sum) AS score_sum
FROM verdicts_per_quarter_hour
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
WITH NO DATA;

CREATE MATERIALIZED VIEW IF NOT EXISTS alert_waits_per_quarter_hour
WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
SELECT
    time_bucket(INTERVAL '15 minutes', event_time) AS bucket,
    label,
    source,
    language,
    round(ln(greatest(extract(epoch FROM decided_at - event_time)::double precision, 0.01)) / ln(1.1::double precision))::integer AS step,
    count(*) AS alerts
FROM verdicts
WHERE action = 'alert' AND body->>'replay_of' IS NULL
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

SELECT add_continuous_aggregate_policy('verdicts_per_quarter_hour', start_offset => INTERVAL '7 days', end_offset => INTERVAL '15 minutes', schedule_interval => INTERVAL '15 minutes', if_not_exists => true);

SELECT add_continuous_aggregate_policy('alert_waits_per_quarter_hour', start_offset => INTERVAL '7 days', end_offset => INTERVAL '15 minutes', schedule_interval => INTERVAL '15 minutes', if_not_exists => true);

SELECT add_continuous_aggregate_policy('verdicts_per_day', start_offset => INTERVAL '8 days', end_offset => INTERVAL '1 day', schedule_interval => INTERVAL '1 hour', if_not_exists => true);

-- Names are of people: these rows are recounted when a video is forgotten, hence no continuous aggregate.
-- A bucket is a quarter of an hour, or the whole day once the day is two days past.
CREATE TABLE IF NOT EXISTS author_tallies (
    bucket   timestamptz NOT NULL,
    name     text NOT NULL,
    label    text,
    source   text NOT NULL,
    language text,
    videos   bigint NOT NULL,
    harmful  bigint NOT NULL
);

CREATE INDEX IF NOT EXISTS author_tallies_bucket ON author_tallies (bucket);

CREATE TABLE IF NOT EXISTS hashtag_tallies (LIKE author_tallies);

CREATE INDEX IF NOT EXISTS hashtag_tallies_bucket ON hashtag_tallies (bucket);

-- The thresholds each policy had: its file is known to the flow only, and changes.
CREATE TABLE IF NOT EXISTS policies (
    policy_version text COLLATE "C" PRIMARY KEY,
    noted_at       timestamptz NOT NULL DEFAULT now(),
    labels         jsonb NOT NULL
);

-- Up to when everything is counted; one row.
CREATE TABLE IF NOT EXISTS trends_refreshed (
    at      timestamptz NOT NULL,
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only)
);
