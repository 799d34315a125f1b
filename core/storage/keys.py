"""Every Redis key and channel, built by one function or named once; all start with `clipwarden:`."""

PREFIX = "clipwarden:"

VERDICTS_CHANNEL = f"{PREFIX}verdicts"
"""Every verdict, as the JSON of `video.verdicts.v1`."""

ALERTS_CHANNEL = f"{PREFIX}alerts"
"""Verdicts with action alert or review."""

MODELS_CHANNEL = f"{PREFIX}models"
"""The name of a model whose champion or challenger changed: workers look into the registry at once."""

LIVE = f"{PREFIX}live:videos"
"""Sorted set: video_id by event_time, the newest ones."""

LIVE_FLAGGED = f"{PREFIX}live:flagged"
"""Sorted set: video_id by event_time, the newest flagged ones."""

LIVE_VERDICTS = f"{PREFIX}live:verdicts"
"""Hash: the current verdict's JSON by video_id, of the members of either set."""

COUNTS = f"{PREFIX}live:counts"
"""Hash: counter by name, and `counted_at`."""

POSTED_TO_ALERT = f"{PREFIX}live:posted_to_alert"
"""List: the newest samples, `published_at seconds`, newest first."""

UPDATED_AT = f"{PREFIX}live:updated_at"

BUILT = f"{PREFIX}live:built"
"""There once the view was built from the history; gone when Redis lost its data."""

HEARTBEATS = f"{PREFIX}heartbeats"
"""Sorted set: heartbeat keys by the instant of the last sign of life."""


def heartbeat(kind: str, instance: str) -> str:
    """String: one process's last sign of life; runs out by itself."""
    return f"{PREFIX}heartbeat:{kind}:{instance}"
