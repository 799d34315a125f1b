"""Questions to begin with; a test runs each. Pure."""

TEMPLATES: dict[str, str] = {
    "Verdicts of the last day": """SELECT
    verdict, count(*) AS videos, round(avg(score)::numeric, 3) AS mean_score
FROM videos
WHERE event_time > now() - interval '1 day'
GROUP BY verdict
ORDER BY videos DESC""",
    "Newest harmful videos": """SELECT
    event_time, video_id, label, round(score::numeric, 3) AS score, author_id, caption
FROM videos
WHERE verdict = 'harmful'
ORDER BY event_time DESC
LIMIT 50""",
    "Harmful rate per hour": """SELECT
    date_trunc('hour', bucket) AS hour,
    sum(videos) AS videos,
    round(100.0 * sum(videos) FILTER (WHERE verdict = 'harmful') / sum(videos), 2) AS harmful_percent
FROM verdicts_per_minute
WHERE bucket > now() - interval '7 days'
GROUP BY hour
ORDER BY hour DESC""",
    "Where text and video disagree": """SELECT
    video_id,
    (modalities->'text'->'scores'->>label)::float AS text_score,
    (modalities->'video'->'scores'->>label)::float AS video_score,
    caption
FROM videos
WHERE label IS NOT NULL AND event_time > now() - interval '7 days'
ORDER BY abs((modalities->'text'->'scores'->>label)::float - (modalities->'video'->'scores'->>label)::float)
    DESC NULLS LAST
LIMIT 50""",
    "Dead letters by code": """SELECT
    code, stage, count(*) AS letters, max(died_at) AS last, count(replayed_at) AS replayed
FROM dead_letters
GROUP BY code, stage
ORDER BY letters DESC""",
    "What moderators overturn": """SELECT v.label, d.decision, count(*) AS decisions
FROM decisions d
JOIN videos v USING (video_id)
WHERE d.undone_at IS NULL
GROUP BY v.label, d.decision
ORDER BY decisions DESC""",
    "Model versions side by side": """SELECT
    model_version,
    count(*) AS verdicts,
    round(100.0 * count(*) FILTER (WHERE verdict = 'harmful') / count(*), 2) AS harmful_percent,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY score) AS p95_score
FROM verdicts
GROUP BY model_version
ORDER BY verdicts DESC""",
    "Seconds from post to verdict": """SELECT
    percentile_cont(ARRAY[0.5, 0.95, 0.99])
        WITHIN GROUP (ORDER BY extract(epoch FROM decided_at - event_time)) AS p50_p95_p99_s
FROM verdicts
WHERE event_time > now() - interval '1 day'""",
    "Ingestion by source and state": """SELECT source, state, coalesce(code, '') AS code, count(*) AS items
FROM items
GROUP BY source, state, code
ORDER BY items DESC""",
    "How a question is answered": """EXPLAIN (ANALYZE, BUFFERS)
SELECT count(*) FROM verdicts WHERE event_time > now() - interval '1 hour'""",
}
"""By the name that the page shows."""


def preview(view: str) -> str:
    """The first rows of a view of the catalogue."""
    return f'SELECT *\nFROM "{view.replace(chr(34), chr(34) * 2)}"\nLIMIT 50'
