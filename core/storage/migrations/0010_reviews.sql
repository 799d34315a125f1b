-- What people decide about verdicts, and what looking at raw media costs them.

ALTER TABLE review_decisions
    -- What was said of each label: {"hate": "confirm", "violence": "reject"}; `labels` holds the confirmed ones.
    ADD COLUMN answers jsonb NOT NULL DEFAULT '{}',
    -- Whether the video was played before; null where there was nothing to play.
    ADD COLUMN played boolean;
CREATE INDEX review_decisions_of_reviewer ON review_decisions (reviewer, decided_at DESC);

-- A decision is undone, never changed. Its row goes only with its video, when that is forgotten.
CREATE FUNCTION keep_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM tombstones WHERE kind = 'video_id' AND value = OLD.video_id) THEN
            RETURN OLD;
        END IF;
    ELSIF OLD.undone_at IS NULL AND NEW.undone_at IS NOT NULL
        AND to_jsonb(NEW) - 'undone_at' = to_jsonb(OLD) - 'undone_at' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'review_decisions is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER review_decisions_stay BEFORE UPDATE OR DELETE ON review_decisions
FOR EACH ROW EXECUTE FUNCTION keep_decision();
CREATE TRIGGER review_decisions_stay_all BEFORE TRUNCATE ON review_decisions
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How media is shown: one row for everybody (the empty user_id), and what single people changed for themselves.
CREATE TABLE wellness (
    user_id    text COLLATE "C" PRIMARY KEY,
    settings   jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

-- Seconds of unblurred video per person and day, as they passed and weighed by how bad it was.
CREATE TABLE exposure (
    user_id     text COLLATE "C" NOT NULL,
    day         date NOT NULL,
    seconds     double precision NOT NULL,
    weighted_s  double precision NOT NULL,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, day)
);
