"""What the content audit calls its filters, orders and columns, in English; said where they are drawn."""

from dashboard.data.search_query import Sort

FIELDS = {
    "words": "Words of the caption",
    "author": "Author",
    "hashtag": "Hashtag",
    "video_id": "Video or verdict id",
    "verdicts": "Verdict",
    "label": "Label",
    "score_min": "Score, at least",
    "score_max": "Score, at most",
    "model_version": "Model version",
    "source": "Source",
    "language": "Language",
    "since": "From",
    "until": "Until",
}
SORTS = {
    Sort.TIME: "Time",
    Sort.SCORE: "Score",
    Sort.VERDICT: "Verdict",
    Sort.LABEL: "Label",
    Sort.LANGUAGE: "Language",
    Sort.SOURCE: "Source",
    Sort.MODEL: "Model version",
}
COLUMN_NAMES = {
    "caption": "Caption",
    "event_time": "Received",
    "author_id": "Author",
    "verdict": "Verdict",
    "label": "Label",
    "score": "Score",
    "hashtags": "Hashtags",
    "language": "Language",
    "source": "Source",
    "platform": "Platform",
    "model_version": "Model version",
    "policy_version": "Policy",
    "mode": "Decided by",
    "video_id": "Video id",
    "verdict_id": "Verdict id",
    "decided_at": "Decided",
    "media_sha256": "Media hash",
}
