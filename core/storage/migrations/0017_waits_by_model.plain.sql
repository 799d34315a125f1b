-- How long alerts waited, by the models that judged too, so that versions stand side by side. Counted again from the
-- verdicts that are there; null is what a flow of the version before counts meanwhile.
ALTER TABLE alert_waits_per_quarter_hour ADD COLUMN model_version text;

DELETE FROM alert_waits_per_quarter_hour;

INSERT INTO alert_waits_per_quarter_hour (bucket, label, source, language, model_version, step, alerts)
SELECT date_bin('15 minutes', event_time, TIMESTAMPTZ '2000-01-01 00:00Z'), label, source, language, model_version,
       round(ln(greatest(extract(epoch FROM decided_at - event_time)::float8, 0.01)) / ln(1.1::float8))::integer,
       count(*)
FROM verdicts
WHERE action = 'alert' AND body->>'replay_of' IS NULL
GROUP BY 1, 2, 3, 4, 5, 6;
