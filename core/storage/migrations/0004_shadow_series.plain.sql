-- TimescaleDB makes the same index with the hypertable.
CREATE INDEX shadow_scores_event_time_idx ON shadow_scores (event_time DESC);
