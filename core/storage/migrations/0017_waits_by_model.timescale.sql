-- How long alerts waited, by the models that judged too, so that versions stand side by side. A continuous aggregate takes
-- no new column: it is made and counted again from the verdicts that are there.
DROP MATERIALIZED VIEW IF EXISTS alert_waits_per_quarter_hour;

CREATE MATERIALIZED VIEW alert_waits_per_quarter_hour
WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
SELECT
    time_bucket(INTERVAL '15 minutes', event_time) AS bucket,
    label,
    source,
    language,
    model_version,
    round(ln(greatest(extract(epoch FROM decided_at - event_time)::double precision, 0.01)) / ln(1.1::double precision))::integer AS step,
    count(*) AS alerts
FROM verdicts
WHERE action = 'alert' AND body->>'replay_of' IS NULL
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CALL refresh_continuous_aggregate('alert_waits_per_quarter_hour', NULL, NULL);

SELECT add_continuous_aggregate_policy('alert_waits_per_quarter_hour', start_offset => INTERVAL '7 days', end_offset => INTERVAL '15 minutes', schedule_interval => INTERVAL '15 minutes', if_not_exists => true);
