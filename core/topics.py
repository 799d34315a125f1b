"""Every topic, in one table: names, keys, writers, readers. Docs and topic creation read it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """One Kafka topic.

    Attributes:
        name: `<subject>.<event>.v<N>`.
        key: what the record key holds; it decides the partition.
        partitions: fixed from the start; a share of a scoring flow is a subset of them.
        retention_h: how long a real broker keeps records.
        max_message_bytes: the largest record; producers are set to the same.
    """

    name: str
    key: str
    writer: str
    readers: tuple[str, ...]
    partitions: int = 8
    retention_h: int = 168
    max_message_bytes: int = 16 * 1024 * 1024


VIDEO_POSTED = Topic("video.posted.v1", "video_id", "ingestion", ("dataflows",))
VIDEO_VERDICTS = Topic("video.verdicts.v1", "video_id", "dataflows", ("consumers",))
VIDEO_DEAD = Topic("video.dead.v1", "the dead record's key", "dataflows", ("operators",), retention_h=720)

TOPICS: tuple[Topic, ...] = (VIDEO_POSTED, VIDEO_VERDICTS, VIDEO_DEAD)
