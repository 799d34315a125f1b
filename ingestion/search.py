"""`video.posted.v1` → which of some items' events are on it: asked only after a relay died."""

import time
from collections.abc import Mapping, Set
from contextlib import closing

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from core.errors import BrokerUnavailable
from core.settings import KafkaSettings
from core.topics import VIDEO_POSTED

ITEM_ID = "item_id"
"""The header that names the item an event came from."""

Place = tuple[int, int]
"""Partition and offset."""

LIMIT_S = 120.0


class TopicSearch:
    """Reads the topic beside its consumers; commits nothing."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    def find(self, item_ids: Set[int], *, after: Mapping[int, int]) -> dict[int, Place]:
        """Where the events of these items lie.

        Args:
            item_ids: whose events are looked for.
            after: per partition the offset behind which to begin; a partition that is not named is read whole.

        Returns:
            Those that are there; the others are not on the topic, up to the end it had when this was called.

        Raises:
            BrokerUnavailable: a partition could not be read to its end.
        """
        found: dict[int, Place] = {}
        try:
            with closing(_connect(self._settings)) as consumer:
                rest = _assign(consumer, after)
                deadline_s = time.monotonic() + LIMIT_S
                while rest and len(found) < len(item_ids):
                    if time.monotonic() > deadline_s:
                        raise BrokerUnavailable(f"{VIDEO_POSTED.name}: not read to its end within {LIMIT_S:.0f} s")
                    for message in consumer.consume(500, timeout=0.5):
                        _look(message, item_ids, found, rest)
        except KafkaException as error:
            raise BrokerUnavailable(f"{VIDEO_POSTED.name}: {error.args[0]}") from error
        return found


def _assign(consumer: Consumer, after: Mapping[int, int]) -> set[int]:
    topic = consumer.list_topics(VIDEO_POSTED.name, timeout=5).topics[VIDEO_POSTED.name]
    if topic.error is not None:
        raise BrokerUnavailable(f"{VIDEO_POSTED.name}: {topic.error}")
    partitions = set(topic.partitions)
    starts = {partition: after[partition] + 1 if partition in after else OFFSET_BEGINNING for partition in partitions}
    consumer.assign([TopicPartition(VIDEO_POSTED.name, partition, start) for partition, start in starts.items()])
    return partitions


def _look(message: Message, item_ids: Set[int], found: dict[int, Place], rest: set[int]) -> None:
    error = message.error()
    partition, offset = message.partition(), message.offset()
    if error is not None:
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client exports it under this name only
            rest.discard(partition)
        elif not error.retriable():
            raise KafkaException(error)
        return
    item_id = _item_id(message)
    if item_id in item_ids:
        found.setdefault(item_id, (partition, offset))


def _item_id(message: Message) -> int:
    value = dict(message.headers() or ()).get(ITEM_ID, b"")
    return int(value) if value.isdigit() else 0


def _connect(settings: KafkaSettings) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": settings.brokers,
            "group.id": "clipwarden-relay",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,
            "log_level": 2,
        }
    )
