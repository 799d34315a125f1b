"""`video.posted.v1` → which of some items' events are on it: asked only after a relay died."""

import time
from collections.abc import Generator, Mapping
from collections.abc import Set as AbstractSet
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
BATCH = 500
POLL_S = 0.2


class TopicSearch:
    """Reads the topic beside its consumers; commits nothing."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    def find(self, item_ids: AbstractSet[int], *, after: Mapping[int, int]) -> dict[int, Place]:
        """Where the events of these items lie; those that are missing are not on the topic.

        Raises:
            BrokerUnavailable: as from `events`.
        """
        found: dict[int, Place] = {}
        with closing(self.events(after=after)) as events:
            for item_id, place in events:
                if item_id in item_ids:
                    found.setdefault(item_id, place)
                if len(found) == len(item_ids):
                    break
        return found

    def events(self, *, after: Mapping[int, int]) -> Generator[tuple[int, Place]]:
        """Every event that came from an item, up to the end that the topic has meanwhile; in order per partition.

        Args:
            after: per partition the offset behind which to begin; a partition that is not named is read whole.

        Raises:
            BrokerUnavailable: a partition could not be read to its end.
        """
        try:
            with closing(_connect(self._settings)) as consumer:
                rest = _assign(consumer, after)
                deadline_s = time.monotonic() + LIMIT_S
                while rest:
                    if time.monotonic() > deadline_s:
                        raise BrokerUnavailable(f"{VIDEO_POSTED.name}: not read to its end within {LIMIT_S:.0f} s")
                    for message in consumer.consume(BATCH, timeout=POLL_S):
                        if error := message.error():
                            _end(error, message.partition(), rest)
                        elif item_id := _item_id(message):
                            yield item_id, (message.partition() or 0, message.offset() or 0)
        except KafkaException as error:
            raise BrokerUnavailable(f"{VIDEO_POSTED.name}: {error.args[0]}") from error


def _assign(consumer: Consumer, after: Mapping[int, int]) -> set[int]:
    topic = consumer.list_topics(VIDEO_POSTED.name, timeout=5).topics[VIDEO_POSTED.name]
    if topic.error is not None:
        raise BrokerUnavailable(f"{VIDEO_POSTED.name}: {topic.error}")
    partitions = set(topic.partitions)
    starts = {partition: after[partition] + 1 if partition in after else OFFSET_BEGINNING for partition in partitions}
    consumer.assign([TopicPartition(VIDEO_POSTED.name, partition, start) for partition, start in starts.items()])
    return partitions


def _end(error: KafkaError, partition: int | None, rest: set[int]) -> None:
    if error.code() == KafkaError._PARTITION_EOF and partition is not None:  # noqa: SLF001 - no other name
        rest.discard(partition)
    elif not error.retriable():
        raise KafkaException(error)


def _item_id(message: Message) -> int:
    value = dict(message.headers() or ()).get(ITEM_ID)
    return int(value) if value and value.isdigit() else 0


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
