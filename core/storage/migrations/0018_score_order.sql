-- The worst first, without reading what every other video scored: the content audit's order by score.
CREATE INDEX videos_by_score ON videos ((coalesce(score, -1)) DESC, event_time DESC, video_id DESC);
