CREATE EXTENSION IF NOT EXISTS timescaledb;

SELECT create_hypertable('verdicts', by_range('event_time', INTERVAL '1 day'), if_not_exists => true, migrate_data => true);

ALTER TABLE verdicts SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'source',
    timescaledb.compress_orderby = 'event_time DESC, verdict_id'
);

SELECT add_compression_policy('verdicts', INTERVAL '7 days', if_not_exists => true);

CREATE MATERIALIZED VIEW IF NOT EXISTS verdicts_per_minute
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket(INTERVAL '1 minute', event_time) AS bucket,
    verdict,
    source,
    language,
    count(*) AS videos,
    sum(score) AS score_sum,
    max(score) AS score_max
FROM verdicts
GROUP BY 1, 2, 3, 4
WITH NO DATA;

SELECT add_continuous_aggregate_policy(
    'verdicts_per_minute',
    start_offset => INTERVAL '1 day',
    end_offset => INTERVAL '1 minute',
    schedule_interval => INTERVAL '1 minute',
    if_not_exists => true
);
