SELECT create_hypertable('shadow_scores', by_range('event_time', INTERVAL '1 day'), if_not_exists => true, migrate_data => true);

ALTER TABLE shadow_scores SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'challenger',
    timescaledb.compress_orderby = 'event_time DESC, verdict_id'
);

SELECT add_compression_policy('shadow_scores', INTERVAL '7 days', if_not_exists => true);
