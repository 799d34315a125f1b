-- What the console's SQL box may read: views with every column named, so that a column of tomorrow is not shown by itself.
-- People, sessions, keys, sign-ins, the audit log and what was erased have no view here. Who may read it: core/storage/reporting.py.
CREATE SCHEMA reporting;
COMMENT ON SCHEMA reporting IS 'What may be read with one''s own SQL.';

CREATE VIEW reporting.videos AS
SELECT
    video_id, verdict_id, event_time, decided_at, verdict, action, mode, label, score, failures, source, language, platform,
    author_id, body->>'caption' AS caption, body->'hashtags' AS hashtags, body->'label_scores' AS label_scores,
    body->'modalities' AS modalities, body->'signals' AS signals, body->'timings_ms' AS timings_ms, media_sha256,
    caption_sha256, model_version, policy_version, partition, "offset"
FROM videos;
COMMENT ON VIEW reporting.videos IS 'Each video once, with its current verdict: the newest event decides.';
COMMENT ON COLUMN reporting.videos.event_time IS 'when the post arrived on the topic';
COMMENT ON COLUMN reporting.videos.verdict IS 'harmful, review, partial, unscored or safe';
COMMENT ON COLUMN reporting.videos.label IS 'the label that decided; null where none did';
COMMENT ON COLUMN reporting.videos.score IS 'that label''s score, 0 to 1';
COMMENT ON COLUMN reporting.videos.failures IS 'how many modalities could not be scored';
COMMENT ON COLUMN reporting.videos.label_scores IS 'score of every label';
COMMENT ON COLUMN reporting.videos.modalities IS 'per modality its scores, or the code that says why there are none';
COMMENT ON COLUMN reporting.videos.signals IS 'rules that fired, with the words that fired them';
COMMENT ON COLUMN reporting.videos.timings_ms IS 'milliseconds per stage';

CREATE VIEW reporting.verdicts AS
SELECT
    verdict_id, video_id, event_time, decided_at, verdict, action, mode, label, score, failures, source, language, platform,
    author_id, body->'label_scores' AS label_scores, body->'modalities' AS modalities, body->'timings_ms' AS timings_ms,
    media_sha256, caption_sha256, model_version, policy_version
FROM verdicts;
COMMENT ON VIEW reporting.verdicts IS 'Every fact: one row per content, models and policy; a video may have several.';
COMMENT ON COLUMN reporting.verdicts.event_time IS 'when the post arrived on the topic';
COMMENT ON COLUMN reporting.verdicts.timings_ms IS 'milliseconds per stage';

CREATE VIEW reporting.sightings AS
SELECT topic, partition, "offset", video_id, verdict_id, event_time, replay_of FROM sightings;
COMMENT ON VIEW reporting.sightings IS 'Every record that was read, also those that repeat a fact.';

CREATE VIEW reporting.decisions AS
SELECT decision_id, video_id, verdict_id, event_time, decision, labels, reason, decided_at, undone_at FROM review_decisions;
COMMENT ON VIEW reporting.decisions IS 'What moderators decided, without who it was and without their notes.';
COMMENT ON COLUMN reporting.decisions.undone_at IS 'null while the decision stands';

CREATE VIEW reporting.dead_letters AS
SELECT
    topic, partition, "offset", stage, code, message, attempts, octet_length(payload) AS payload_bytes, video_id, record_time,
    died_at, replayed_at
FROM dead_letters;
COMMENT ON VIEW reporting.dead_letters IS 'Records, or parts of them, that could not be used; without their bytes.';
COMMENT ON COLUMN reporting.dead_letters.payload_bytes IS 'null where the bytes lie in the object store';

CREATE VIEW reporting.verdicts_per_minute AS
SELECT bucket, verdict, source, language, videos, score_sum, score_max FROM verdicts_per_minute;
COMMENT ON VIEW reporting.verdicts_per_minute IS 'Facts counted per minute, verdict, source and language.';
COMMENT ON COLUMN reporting.verdicts_per_minute.score_sum IS 'score_sum / videos is the mean score';

CREATE VIEW reporting.items AS
SELECT
    item_id, item_key, source, state, code, message, attempts, deaths, next_try, host, video_id, is_distinct, sha256, size_bytes,
    content_type, author_id, platform, language, posted_at, found_at, updated_at
FROM items;
COMMENT ON VIEW reporting.items IS 'Everything that ingestion met, from found to posted, or to the code that says why not.';
COMMENT ON COLUMN reporting.items.deaths IS 'how many workers died with it in hand';

CREATE VIEW reporting.item_sightings AS
SELECT item_id, seen_at, source, hashtag, label, tool FROM item_sightings;
COMMENT ON VIEW reporting.item_sightings IS 'Each time an item was met.';
COMMENT ON COLUMN reporting.item_sightings.label IS 'what somebody''s list said; provenance, never truth';

CREATE VIEW reporting.shadow_scores AS
SELECT
    verdict_id, video_id, event_time, modality, champion, challenger, policy_version, champion_score, challenger_score,
    champion_verdict, challenger_verdict
FROM shadow_scores;
COMMENT ON VIEW reporting.shadow_scores IS 'What a challenger said about a sampled post, beside the champion.';

CREATE VIEW reporting.shadow_disagreement AS
SELECT hour, modality, champion, challenger, sampled, disagree, rate, mean_difference FROM shadow_disagreement;
COMMENT ON VIEW reporting.shadow_disagreement IS 'How often challengers disagree with champions, per hour.';

-- A row over the limit ends the statement where it was made: it never leaves the server.
CREATE FUNCTION reporting.fits(size_bytes integer, limit_bytes integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF size_bytes > limit_bytes THEN
        RAISE EXCEPTION 'one row holds % bytes, over the limit of %; select fewer or shorter columns', size_bytes, limit_bytes
            USING ERRCODE = 'program_limit_exceeded';
    END IF;
    RETURN true;
END $$;

-- One's own statements, newest first.
CREATE INDEX audit_log_queries ON audit_log (user_id, at DESC) WHERE action = 'queried';
