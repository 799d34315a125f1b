-- Same name and columns as the continuous aggregate; a housekeeping call recounts the last buckets.
CREATE TABLE verdicts_per_minute (
    bucket    timestamptz NOT NULL,
    verdict   text NOT NULL,
    source    text NOT NULL,
    language  text,
    videos    bigint NOT NULL,
    score_sum double precision,
    score_max double precision
);
CREATE UNIQUE INDEX verdicts_per_minute_key ON verdicts_per_minute (bucket, verdict, source, language) NULLS NOT DISTINCT;
