"""The statements of analytics: `{counts}` is the aggregate of the window's grain."""

SLICES = 40
SAMPLE_PER_SLICE = 15
"""Of each slice of the window the first ones that fit, among its first 5 x SAMPLE_PER_SLICE: reading is bounded."""

_WITHIN = b"bucket >= %(start)s AND bucket < %(end)s"
_FILTER = b"""
(%(source)s::text IS NULL OR source = %(source)s) AND (%(language)s::text IS NULL OR language = %(language)s)
"""
_OF_LABEL = b"(%(label)s::text IS NULL OR label = %(label)s)"

TOTALS = (
    b"""
WITH sums AS (
    SELECT bucket >= %(start)s AS is_now,
           sum(videos) AS videos,
           sum(videos) FILTER (WHERE verdict = 'harmful' AND """
    + _OF_LABEL
    + b""") AS harmful,
           sum(videos) FILTER (WHERE verdict = 'review' AND """
    + _OF_LABEL
    + b""") AS review,
           sum(videos) FILTER (WHERE score_bin IS NOT NULL AND """
    + _OF_LABEL
    + b""") AS scored,
           sum(score_sum) FILTER (WHERE """
    + _OF_LABEL
    + b""") AS score_sum
    FROM {counts} WHERE bucket >= %(before)s AND bucket < %(end)s AND """
    + _FILTER
    + b"""
    GROUP BY 1
), dead AS (
    SELECT died_at >= %(start)s AS is_now, count(*) AS dead_letters FROM dead_letters
    WHERE died_at >= %(before)s AND died_at < %(end)s GROUP BY 1
), both_ AS (
    SELECT * FROM (VALUES (true), (false)) AS period (is_now)
    LEFT JOIN sums USING (is_now) LEFT JOIN dead USING (is_now)
), rows_ AS (
    SELECT is_now, coalesce(videos, 0)::bigint AS videos, coalesce(harmful, 0)::bigint AS harmful,
           coalesce(review, 0)::bigint AS review, coalesce(scored, 0)::bigint AS scored,
           coalesce(score_sum, 0)::float8 AS score_sum, coalesce(dead_letters, 0)::bigint AS dead_letters
    FROM both_
)
SELECT this.videos, this.harmful, this.review, this.scored, this.score_sum, this.dead_letters,
       past.videos, past.harmful, past.review, past.scored, past.score_sum, past.dead_letters
FROM rows_ AS this, rows_ AS past WHERE this.is_now AND NOT past.is_now
"""
)
SERIES = (
    b"SELECT date_bin(%(step)s, bucket, %(start)s) AS at, verdict, label, sum(videos)::bigint FROM {counts} WHERE "
    + _WITHIN
    + b" AND "
    + _FILTER
    + b" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
)
SCORES = (
    b"""
WITH counted AS (
    SELECT policy_version, score_bin, verdict, sum(videos)::bigint AS videos, max(bucket) AS last_at
    FROM {counts} WHERE """
    + _WITHIN
    + b" AND "
    + _FILTER
    + b" AND "
    + _OF_LABEL
    + b"""
    GROUP BY 1, 2, 3
)
SELECT policy_version, score_bin, verdict, videos, last_at, labels
FROM counted LEFT JOIN policies USING (policy_version)
"""
)
# `harmful` is what video models say; a text model's highest label speaks for it. Read from the bodies of few rows only.
PAIRS = (
    b"""
WITH pairs AS (
SELECT (SELECT max(value::float8) FROM json_each_text(said->'text'->'scores')) AS text,
       (SELECT max(value::float8) FROM json_each_text(said->'video'->'scores')) AS video,
       verdict
FROM generate_series(0, %(slices)s - 1) AS slice
CROSS JOIN LATERAL (
    SELECT body->'modalities' AS said, verdict FROM (
        SELECT * FROM verdicts
        WHERE event_time >= %(start)s + slice * ((%(end)s::timestamptz - %(start)s::timestamptz) / %(slices)s)
          AND event_time < %(start)s + (slice + 1) * ((%(end)s::timestamptz - %(start)s::timestamptz) / %(slices)s)
        ORDER BY event_time LIMIT 5 * %(per_slice)s
    ) AS looked_at
    WHERE mode IN ('late_score', 'fusion') AND """
    + _FILTER
    + b" AND "
    + _OF_LABEL
    + b"""
    LIMIT %(per_slice)s
) AS sampled
WHERE json_typeof(said->'text'->'scores') = 'object' AND json_typeof(said->'video'->'scores') = 'object'
)
SELECT text, video, verdict FROM pairs WHERE text IS NOT NULL AND video IS NOT NULL
"""
)
# Of a bucket and a name each count is small; the sum of bigints is a numeric, which costs as much again as the rest.
_TALLIES = (
    b"""
WITH named AS (
    SELECT name, sum(videos::int4)::bigint AS videos,
           coalesce(sum(harmful::int4) FILTER (WHERE """
    + _OF_LABEL
    + b"""), 0)::bigint AS harmful
    FROM %b WHERE """
    + _WITHIN
    + b" AND "
    + _FILTER
    + b"""
    GROUP BY name HAVING sum(videos::int4) >= %%(tallied_from)s
)
SELECT name, videos, harmful FROM named WHERE harmful > 0
ORDER BY (harmful + 1.92073 - 1.959964 * sqrt(harmful::float8 * (videos - harmful) / videos + 0.960365))
         / (videos + 3.841459) DESC, videos DESC, name
LIMIT %%(limit)s
"""
)


def _tallies(table: bytes) -> bytes:
    return _TALLIES.replace(b"%b", table).replace(b"%%", b"%")


AUTHORS, HASHTAGS = _tallies(b"author_tallies"), _tallies(b"hashtag_tallies")
WAITS = (
    b"""
SELECT date_bin(%(step)s, bucket, %(start)s) AS at, step, sum(alerts)::bigint
FROM alert_waits_per_quarter_hour WHERE """
    + _WITHIN
    + b" AND "
    + _FILTER
    + b" AND "
    + _OF_LABEL
    + b" GROUP BY 1, 2 ORDER BY 1, 2"
)
MODELS = (
    b"""
WITH judged AS (
    SELECT model_version, sum(videos)::bigint AS videos, coalesce(sum(videos) FILTER (WHERE verdict = 'harmful' AND """
    + _OF_LABEL
    + b"""), 0)::bigint AS harmful,
           coalesce(sum(videos) FILTER (WHERE score_bin IS NOT NULL), 0)::bigint AS scored,
           coalesce(sum(score_sum), 0)::float8 AS score_sum, max(bucket) AS last_at
    FROM {counts} WHERE """
    + _WITHIN
    + b" AND "
    + _FILTER
    + b"""
    GROUP BY 1 ORDER BY last_at DESC, 1 DESC LIMIT 8
), waits AS (
    SELECT model_version, step, sum(alerts)::bigint AS alerts FROM alert_waits_per_quarter_hour WHERE """
    + _WITHIN
    + b" AND "
    + _FILTER
    + b" AND "
    + _OF_LABEL
    + b"""
    GROUP BY 1, 2
), waited AS (
    SELECT model_version, array_agg(step ORDER BY step) AS steps, array_agg(alerts ORDER BY step) AS alerts
    FROM waits GROUP BY 1
)
SELECT model_version, videos, harmful, scored, score_sum, last_at, coalesce(steps, '{}'), coalesce(alerts, '{}')
FROM judged LEFT JOIN waited USING (model_version) ORDER BY last_at DESC, model_version DESC
"""
)
CHALLENGES = b"""
SELECT champion, challenger, count(*), count(*) FILTER (WHERE champion_verdict <> challenger_verdict),
       avg(abs(challenger_score - champion_score))::float8
FROM shadow_scores WHERE event_time >= %(start)s AND event_time < %(end)s
GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 8
"""
VALUES = b"SELECT DISTINCT source, language, label FROM verdicts_per_day WHERE bucket < %(end)s"
