-- What people chose for everybody, over the environment's settings; each change stands in the audit log.
CREATE TABLE platform_settings (
    name       text COLLATE "C" PRIMARY KEY,
    value      jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL
);

-- Where alerts are sent. The secret signs what is sent: the router needs it as it is, nobody else reads it.
CREATE TABLE alert_routes (
    route_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    url        text NOT NULL,
    secret     text NOT NULL,
    terms      jsonb NOT NULL,
    is_enabled boolean NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL
);

-- What was flagged and not yet looked at by the router. Written in the transaction of the verdict and taken away in
-- the one that writes the deliveries: neither order of commits, nor a kill, nor an outage leaves a gap.
CREATE TABLE flagged_videos (
    flag_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flagged_at timestamptz NOT NULL DEFAULT now(),
    video_id   text COLLATE "C" NOT NULL,
    verdict_id text COLLATE "C" NOT NULL,
    facts      jsonb NOT NULL
);
CREATE INDEX flagged_videos_of_video ON flagged_videos (video_id);

CREATE TABLE alert_deliveries (
    delivery_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    route_id    bigint NOT NULL REFERENCES alert_routes ON DELETE CASCADE,
    kind        text NOT NULL,
    state       text NOT NULL,
    video_id    text COLLATE "C",
    verdict_id  text COLLATE "C",
    author_id   text,
    severity    smallint NOT NULL DEFAULT 0,
    facts       jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    due_at      timestamptz NOT NULL DEFAULT now(),
    attempts    smallint NOT NULL DEFAULT 0,
    ended_at    timestamptz,
    status      smallint,
    reason      text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX alert_deliveries_once ON alert_deliveries (route_id, verdict_id, severity) WHERE kind = 'alert';
CREATE INDEX alert_deliveries_due ON alert_deliveries (due_at) WHERE state = 'pending';
CREATE INDEX alert_deliveries_held ON alert_deliveries (route_id, created_at) WHERE state = 'held';
CREATE INDEX alert_deliveries_told ON alert_deliveries (route_id, created_at DESC)
    WHERE kind = 'test' OR state IN ('pending', 'dead');
CREATE INDEX alert_deliveries_ended ON alert_deliveries (route_id, ended_at DESC) WHERE state = 'delivered';
CREATE INDEX alert_deliveries_recent ON alert_deliveries (route_id, created_at DESC);
CREATE INDEX alert_deliveries_of_video ON alert_deliveries (video_id);

CREATE FUNCTION note_flagged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM alert_routes WHERE is_enabled) THEN
        INSERT INTO flagged_videos (video_id, verdict_id, facts) VALUES (NEW.video_id, NEW.verdict_id,
            jsonb_build_object(
                'video_id', NEW.video_id, 'verdict_id', NEW.verdict_id, 'verdict', NEW.verdict, 'action', NEW.action,
                'label', NEW.label, 'score', NEW.score, 'source', NEW.source, 'language', NEW.language,
                'platform', NEW.platform, 'author_id', NEW.author_id, 'event_time', NEW.event_time,
                'decided_at', NEW.decided_at, 'model_version', NEW.model_version,
                'policy_version', NEW.policy_version));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER videos_flagged_first AFTER INSERT ON videos
FOR EACH ROW WHEN (NEW.action <> 'none') EXECUTE FUNCTION note_flagged();
CREATE TRIGGER videos_flagged_again AFTER UPDATE ON videos
FOR EACH ROW WHEN (NEW.action <> 'none'
    AND (NEW.verdict_id IS DISTINCT FROM OLD.verdict_id OR NEW.action IS DISTINCT FROM OLD.action))
EXECUTE FUNCTION note_flagged();
