"""What a store holds beside a million verdicts, made of them: items, dead letters, shadow scores, the log, routes."""

import psycopg
from rich.progress import track

from operations.seat import screen

# A video's number, from 0 to 999: the same each time.
_MARKS = """
CREATE TABLE IF NOT EXISTS bench_beside (what text PRIMARY KEY);
CREATE OR REPLACE FUNCTION bench_number(video_id text) RETURNS integer IMMUTABLE LANGUAGE sql
RETURN abs(hashtext(video_id) % 1000)
"""
STATEMENTS = {
    "items": """
INSERT INTO items (item_key, source, state, next_try, is_distinct, found_at, updated_at, platform, language, author_id,
    video_id, sha256, size_bytes, content_type, media_uri, caption, hashtags)
SELECT 'bench:' || video_id, source, 'posted', event_time, false, event_time, event_time, platform, language, author_id,
    video_id, media_sha256, 2000000, 'video/mp4', body->>'media_uri', body->>'caption', (body->'hashtags')::jsonb
FROM videos
""",
    "items refused": """
INSERT INTO items (item_key, source, state, next_try, is_distinct, found_at, updated_at, code, message)
SELECT 'bench:not:' || video_id, source, CASE bench_number(video_id) % 5 WHEN 0 THEN 'failed' ELSE 'refused' END,
    event_time, false, event_time, event_time, (ARRAY['ingest.too_large', 'media.undecodable', 'ingest.gone',
    'ingest.timeout'])[1 + bench_number(video_id) % 4], 'made for a bench'
FROM videos WHERE bench_number(video_id) < 50
""",
    "items waiting": """
INSERT INTO items (item_key, source, state, next_try, is_distinct, found_at, updated_at)
SELECT 'bench:waits:' || video_id, source, 'found', event_time, false, event_time, event_time
FROM videos ORDER BY event_time DESC LIMIT 200
""",
    "dead letters": """
INSERT INTO dead_letters (topic, partition, "offset", stage, code, message, attempts, headers, payload, video_id,
    record_time, died_at, replayed_at)
SELECT 'bench', partition, "offset", 'decode', (ARRAY['media.undecodable', 'media.missing', 'event.invalid',
    'inference.timeout'])[1 + bench_number(video_id) % 4], 'made for a bench', 3, '[]',
    convert_to(body->>'caption', 'UTF8'), video_id, event_time, decided_at,
    CASE WHEN bench_number(video_id) < 10 THEN decided_at + interval '1 hour' END
FROM videos WHERE bench_number(video_id) < 20
""",
    "shadow scores": """
INSERT INTO shadow_scores
SELECT verdict_id, video_id, event_time, 'text', 'text:2', 'text:3', policy_version, score, least(1, score * 1.1),
    verdict, CASE WHEN bench_number(video_id) % 10 = 0 THEN 'review' ELSE verdict END
FROM verdicts WHERE score IS NOT NULL AND bench_number(video_id) < 50
""",
    "audit log": """
INSERT INTO audit_log (at, user_id, role, action, subject, detail)
SELECT decided_at, 'reviewer-' || bench_number(video_id) % 8, 'moderator', 'saw_media', video_id, '{"how": "played"}'
FROM videos WHERE bench_number(video_id) < 200
""",
    "people": """
INSERT INTO people (user_id, name, sign_in_name, role)
SELECT 'reviewer-' || n, 'reviewer-' || n, 'reviewer-' || n, 'moderator' FROM generate_series(0, 40) AS n
""",
    "commands": """
INSERT INTO operator_commands (command_id, issued_at, issued_by, command, arguments, state, answer, executed_at)
SELECT 'bench-' || n, now() - n * interval '1 hour', 'reviewer-1', 'restart', '{"process": "flow-0"}', 'done',
    'made for a bench', now() - n * interval '1 hour'
FROM generate_series(1, 500) AS n
""",
    "routes": """
INSERT INTO alert_routes (name, url, secret, terms, is_enabled, changed_by)
SELECT 'bench ' || n, 'https://bench.invalid/' || n, 'none', '{}', false, 'bench' FROM generate_series(1, 5) AS n
""",
    "deliveries": """
INSERT INTO alert_deliveries (route_id, kind, state, video_id, verdict_id, facts, created_at, ended_at, reason)
SELECT route_id, 'alert', CASE WHEN partition = 0 THEN 'dead' ELSE 'delivered' END, video_id, verdict_id, '{}',
    decided_at, decided_at, CASE WHEN partition = 0 THEN 'made for a bench' ELSE '' END
FROM alert_routes, (SELECT * FROM videos WHERE action <> 'none' ORDER BY event_time DESC LIMIT 10000) AS flagged
WHERE name LIKE 'bench %'
""",
}
"""What → how it is made."""


def fill_beside(connection: psycopg.Connection) -> None:
    """Make all of it once; of the statement that a call was cut short in, nothing is there."""
    connection.execute(_MARKS)
    done = {what for (what,) in connection.execute("SELECT what FROM bench_beside")}
    missing = [what for what in STATEMENTS if what not in done]
    for what in track(missing, "filling what stands beside", console=screen, transient=True):
        with connection.transaction():
            connection.execute(STATEMENTS[what].encode())
            connection.execute("INSERT INTO bench_beside (what) VALUES (%s)", (what,))
