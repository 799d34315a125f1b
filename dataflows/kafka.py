"""Kafka → records: one consumer per process over its static share of the partitions."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event

import structlog
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from core.errors import BrokerUnavailable, ConfigError
from core.health import Health
from core.settings import FlowSettings, KafkaSettings
from core.topics import Topic
from dataflows.parse import Record
from dataflows.track import InFlight
from dataflows.wait import Patience

log = structlog.get_logger()

Offsets = dict[int, int]

BATCH = 500
COMMIT_EVERY_S = 1.0
# What did not move is named again too: a commit may have failed, and brokers forget what nobody names for days.
COMMIT_ALL_EVERY_S = 60.0
# As often as the answers are looked at (dataflows/steps.py); each look costs a turn of the whole flow.
IDLE = timedelta(milliseconds=5)
PROBE_EVERY_S = 2.0


@dataclass(frozen=True)
class SourceParts:
    """What the source works with."""

    in_flight: InFlight
    health: Health
    patience: Patience
    stop: Event


class ShareSource(FixedPartitionedSource[tuple[str, Record], Offsets]):
    """Reads a share of a topic, keyed by partition.

    Guarantee: at-least-once; starts at the group's committed offset, which is that of the lowest record not yet
    written, so that a lost state directory or another number of shares loses nothing.
    Unit of parallelism: the process; partition p belongs to share p modulo the number of shares.
    """

    def __init__(self, topic: Topic, kafka: KafkaSettings, flow: FlowSettings, *, parts: SourceParts) -> None:
        self._topic = topic
        self._kafka = kafka
        self._flow = flow
        self._parts = parts
        self._partition: _SharePartition | None = None

    def list_parts(self) -> list[str]:
        """One: the share."""
        return [f"share-{self._flow.share_index}-of-{self._flow.share_count}"]

    def build_part(self, step_id: str, for_part: str, resume_state: Offsets | None) -> "_SharePartition":
        """Connect, waiting for the broker, and find where to start."""
        del step_id, for_part
        self._partition = _SharePartition(
            self._topic, self._kafka, self._flow, parts=self._parts, resume=resume_state or {}
        )
        return self._partition

    def finish(self) -> None:
        """Commit what was written, after the last write: the source's own end comes before the drain."""
        if self._partition is not None:
            self._partition.finish()


class _SharePartition(StatefulSourcePartition[tuple[str, Record], Offsets]):
    def __init__(
        self, topic: Topic, kafka: KafkaSettings, flow: FlowSettings, *, parts: SourceParts, resume: Mapping[int, int]
    ) -> None:
        self._topic = topic
        self._flow = flow
        self._parts = parts
        self._broker_down = Event()
        self._consumer = Consumer(_consumer_config(kafka), error_cb=self._note)
        partitions = parts.patience.until_done("broker", self._partitions)
        starts = parts.patience.until_done("broker", lambda: self._starts(partitions, resume))
        self._consumer.assign(starts)
        parts.in_flight.assigned({start.partition: start.offset for start in starts})
        self._paused: frozenset[int] = frozenset()
        self._next_commit_s = self._next_commit_all_s = 0.0
        self._next_probe_s = 0.0
        self._is_idle = False
        self._committed: dict[int, int] = {}
        log.info("source.assigned", starts={start.partition: start.offset for start in starts})

    def next_batch(self) -> Iterable[tuple[str, Record]]:
        if self._parts.stop.is_set():
            raise StopIteration
        self._commit_when_due()
        self._probe_when_down()
        room = self._parts.in_flight.room()
        self._is_idle = True
        if room == 0:
            return []
        self._pause_crowded()
        messages = self._consumer.consume(min(room, BATCH), timeout=0)
        self._is_idle = not messages
        return [(str(message.partition()), self._record(message)) for message in messages if self._is_record(message)]

    def next_awake(self) -> datetime | None:
        return datetime.now(UTC) + IDLE if self._is_idle else None

    def snapshot(self) -> Offsets:
        return self._parts.in_flight.commit_offsets()

    def finish(self) -> None:
        self._committed = {}
        self._commit(wait=True)
        self._consumer.close()

    def _partitions(self) -> list[int]:
        try:
            metadata = self._consumer.list_topics(self._topic.name, timeout=5).topics[self._topic.name]
        except KafkaException as error:
            raise BrokerUnavailable(f"no metadata for {self._topic.name}: {error.args[0]}") from error
        if metadata.error is not None or not metadata.partitions:
            raise BrokerUnavailable(f"topic {self._topic.name} does not exist yet: {metadata.error}")
        share, count = self._flow.share_index, self._flow.share_count
        return [partition for partition in sorted(metadata.partitions) if partition % count == share]

    def _starts(self, partitions: list[int], resume: Mapping[int, int]) -> list[TopicPartition]:
        try:
            committed = self._consumer.committed(
                [TopicPartition(self._topic.name, partition) for partition in partitions], timeout=10
            )
        except KafkaException as error:
            raise BrokerUnavailable(f"no committed offsets: {error.args[0]}") from error
        for start in committed:
            if start.offset < 0:
                start.offset = resume.get(start.partition, OFFSET_BEGINNING)
        return list(committed)

    def _is_record(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - the client exports it under this name only
            raise ConfigError(
                f"the group's offset for {message.topic()}[{message.partition()}] is no longer on the broker; "
                "set the group's offsets (kafka-consumer-groups --reset-offsets) and start again"
            )
        self._note(error)
        return False

    def _record(self, message: Message) -> Record:
        kind, stamp_ms = message.timestamp()
        partition, offset = message.partition(), message.offset()
        if partition is None or offset is None:
            raise BrokerUnavailable("a consumed record came without partition or offset")
        record_time = _instant(stamp_ms) if kind != TIMESTAMP_NOT_AVAILABLE else None
        record = Record(
            topic=self._topic.name,
            partition=partition,
            offset=offset,
            key=message.key(),
            value=message.value(),
            headers=_headers(message),
            record_time=record_time,
        )
        self._parts.in_flight.began(partition, offset, record_time or datetime.now(UTC), size_bytes=_size_bytes(record))
        return record

    def _pause_crowded(self) -> None:
        """A partition whose head is slow stops reading ahead, so that the others keep their room."""
        crowded = self._parts.in_flight.crowded(self._paused)
        if crowded == self._paused:
            return
        for partitions, act in (
            (crowded - self._paused, self._consumer.pause),
            (self._paused - crowded, self._consumer.resume),
        ):
            act([TopicPartition(self._topic.name, partition) for partition in partitions])
        self._paused = crowded

    def _commit_when_due(self) -> None:
        now_s = time.monotonic()
        if now_s < self._next_commit_s:
            return
        self._next_commit_s = now_s + COMMIT_EVERY_S
        if now_s >= self._next_commit_all_s:
            self._next_commit_all_s = now_s + COMMIT_ALL_EVERY_S
            self._committed = {}
        self._commit(wait=False)

    def _commit(self, *, wait: bool) -> None:
        written = self._parts.in_flight.commit_offsets()
        moved = written.items() - self._committed.items()
        if not moved:
            return
        self._committed = written
        offsets = [TopicPartition(self._topic.name, *item) for item in moved]
        try:
            if wait:
                self._consumer.commit(offsets=offsets, asynchronous=False)
            else:
                self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            # Harmless: the next commit names at least these offsets, and a restart reads what is uncommitted again.
            log.warning("source.commit_failed", reason=str(error.args[0]))

    def _note(self, error: KafkaError) -> None:
        """The client library keeps trying by itself; say so where people look."""
        if error.code() in (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT):  # noqa: SLF001 - as above
            self._broker_down.set()
            self._parts.health.set("broker", ok=False, detail=error.str())
        elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - as above
            log.warning("source.error", reason=error.str())

    def _probe_when_down(self) -> None:
        if not self._broker_down.is_set() or time.monotonic() < self._next_probe_s:
            return
        self._next_probe_s = time.monotonic() + PROBE_EVERY_S
        try:
            self._consumer.list_topics(self._topic.name, timeout=0.2)
        except KafkaException:
            return
        self._broker_down.clear()
        self._parts.health.set("broker", ok=True)


def _consumer_config(kafka: KafkaSettings) -> dict[str, object]:
    return {
        "bootstrap.servers": kafka.brokers,
        "group.id": kafka.group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # An offset that retention has passed is an error to look at, never a silent jump.
        "auto.offset.reset": "error",
        "fetch.wait.max.ms": kafka.fetch_wait_max_ms,
        # Read a little ahead, not everything: what is at hand when a partition pauses is fetched again, and the window
        # may be passed by it. One record larger than these still comes, alone.
        "queued.max.messages.kbytes": 4_096,
        "fetch.max.bytes": 4_194_304,
        "max.partition.fetch.bytes": 262_144,
        "log_level": 2,
    }


def _size_bytes(record: Record) -> int:
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def _headers(message: Message) -> tuple[tuple[str, bytes], ...]:
    headers: list[tuple[str, bytes | None]] = message.headers() or []  # type: ignore[assignment]  # the stub is wider
    return tuple((name, value or b"") for name, value in headers)


def _instant(stamp_ms: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(stamp_ms / 1e3, UTC)
    except (ValueError, OverflowError, OSError):
        return None
