-- What a challenger said about a sampled post, beside the champion that decided it.
CREATE TABLE shadow_scores (
    verdict_id         text COLLATE "C" NOT NULL,
    video_id           text COLLATE "C" NOT NULL,
    event_time         timestamptz NOT NULL,
    modality           text NOT NULL,
    champion           text NOT NULL,
    challenger         text NOT NULL,
    policy_version     text NOT NULL,
    champion_score     double precision NOT NULL,
    challenger_score   double precision NOT NULL,
    -- What each model's scores alone would have become under the policy.
    champion_verdict   text NOT NULL,
    challenger_verdict text NOT NULL,
    PRIMARY KEY (verdict_id, challenger, event_time)
);

CREATE VIEW shadow_disagreement AS
SELECT
    date_trunc('hour', event_time, 'UTC') AS hour,
    modality,
    champion,
    challenger,
    count(*) AS sampled,
    count(*) FILTER (WHERE champion_verdict <> challenger_verdict) AS disagree,
    avg((champion_verdict <> challenger_verdict)::int)::double precision AS rate,
    avg(abs(challenger_score - champion_score)) AS mean_difference
FROM shadow_scores
GROUP BY 1, 2, 3, 4;
