"""Closed sets every stage speaks: verdicts, actions, modalities, modes (labels themselves are data: policy.yaml)."""

from enum import StrEnum


class VerdictKind(StrEnum):
    """What was decided about a video.

    `partial` would have been safe, but a modality failed; `unscored` has no score at all.
    """

    HARMFUL = "harmful"
    REVIEW = "review"
    SAFE = "safe"
    PARTIAL = "partial"
    UNSCORED = "unscored"


class Action(StrEnum):
    """What a consumer of the verdict is asked to do."""

    NONE = "none"
    REVIEW = "review"
    ALERT = "alert"


class Modality(StrEnum):
    """What a score was computed from."""

    TEXT = "text"
    VIDEO = "video"
    FUSION = "fusion"


class Mode(StrEnum):
    """Which scores decided."""

    FUSION = "fusion"
    LATE_SCORE = "late_score"
    TEXT_ONLY = "text_only"
    VIDEO_ONLY = "video_only"
    NONE = "none"


HARMFUL_LABEL = "harmful"
"""The label every policy has: the largest of the others."""
