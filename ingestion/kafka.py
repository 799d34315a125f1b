"""Events → `video.posted.v1`: every delivery report is checked; topics are created from the one table, idempotently."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from confluent_kafka import KafkaError as BrokerError
from confluent_kafka import KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from core import topics
from core.delivery import no_proof
from core.errors import BrokerUnavailable, DeliveryFailed
from core.events import VideoPosted
from core.settings import KafkaSettings

OnDelivered = Callable[[str], None]
OnReport = Callable[[int, int], None]
"""Told partition and offset."""

Headers = Sequence[tuple[str, bytes]]
FAILURES = (KafkaException, SystemError)
"""How the client raises a fatal error: the second, if it was just calling us with a delivery report."""


class EventProducer:
    """Produces events; `flush` proves that every one was confirmed."""

    def __init__(self, settings: KafkaSettings, *, on_delivered: OnDelivered | None = None) -> None:
        self._timeout_s = settings.request_timeout_s
        self._on_delivered = on_delivered
        self._failures: list[str] = []
        self.confirmed = 0
        self._settings = settings
        self._producer = _connect(settings)

    def send(self, event: VideoPosted, *, headers: Headers = (), timestamp_ms: int = 0) -> None:
        """Hand one event to the client; its delivery is proven by `flush`."""
        self.send_bytes(event.video_id.encode(), event.to_bytes(), headers=headers, timestamp_ms=timestamp_ms)

    def send_bytes(
        self,
        key: bytes | None,
        value: bytes,
        *,
        headers: Headers = (),
        timestamp_ms: int = 0,
        on_report: OnReport | None = None,
    ) -> None:
        """Hand a record's bytes to the client as they are (relay, replay, bad-input tests).

        Args:
            key: decides the partition.
            value: the event.
            headers: of the record.
            timestamp_ms: of the record; 0 is now.
            on_report: told, in a later call of this producer, where the broker confirmed this record.

        Raises:
            DeliveryFailed: the client refuses the record, e.g. over the largest size.
        """
        try:
            record = {"headers": list(headers), "timestamp": timestamp_ms}
            while not self._produce(key, value, record, partial(self._confirm, on_report)):
                self._producer.poll(0.1)
            self._producer.poll(0)
        except FAILURES as error:
            if not isinstance(error, KafkaException) or error.args[0].fatal():
                # Those sent before are gone with the client; `flush` tells.
                self._failures += [_reason(error)] * len(self._producer)
                self._reconnect()
            raise DeliveryFailed(f"{topics.VIDEO_POSTED.name}: {_reason(error)}") from error

    def _produce(
        self, key: bytes | None, value: bytes, record: dict[str, Any], on_delivery: Callable[..., None]
    ) -> bool:
        """Whether the client had room."""
        try:
            self._producer.produce(topics.VIDEO_POSTED.name, value, key, on_delivery=on_delivery, **record)
        except BufferError:
            return False
        return True

    def flush(self) -> None:
        """Wait until every event sent so far is confirmed.

        Raises:
            DeliveryFailed: some were not; `confirmed` says how many were.
        """
        try:
            left = self._producer.flush(self._timeout_s)
        except FAILURES as error:
            left = len(self._producer)
            self._failures.insert(0, _reason(error))
        if self._failures or left:
            failed, self._failures = self._failures, []
            self._reconnect()
            reason = failed[0] if failed else "time ran out"
            raise DeliveryFailed(
                f"{left + len(failed)} events unconfirmed: {reason}; check the broker and send them again"
            )

    def _reconnect(self) -> None:
        """A new client: what is half-sent is forgotten, and a fatal client error cannot outlive its batch."""
        self._producer.purge()
        self._producer = _connect(self._settings)

    def _confirm(self, on_report: OnReport | None, error: BrokerError | None, message: Message) -> None:
        if (reason := no_proof(error, message)) is not None:
            self._failures.append(reason)
            return
        self.confirmed += 1
        partition, offset = message.partition(), message.offset()
        if on_report is not None and partition is not None and offset is not None:
            on_report(partition, offset)
        if self._on_delivered is not None:
            self._on_delivered((message.key() or b"").decode("utf-8", "replace"))


def create_topics(settings: KafkaSettings, wanted: Iterable[topics.Topic] = topics.TOPICS) -> list[str]:
    """Create the topics that are missing; returns their names.

    Raises:
        BrokerUnavailable: no broker answers, or it refuses.
    """
    client = AdminClient({"bootstrap.servers": settings.brokers, "log_level": 2})
    try:
        there = set(client.list_topics(timeout=5).topics)
        missing = [topic for topic in wanted if topic.name not in there]
        answers = client.create_topics([_new(topic) for topic in missing], request_timeout=10) if missing else {}
        for name, answer in answers.items():
            _created(name, answer)
    except KafkaException as error:
        raise BrokerUnavailable(f"{settings.brokers}: {error.args[0]}") from error
    return [topic.name for topic in missing]


def _new(topic: topics.Topic) -> NewTopic:
    config = {"retention.ms": str(topic.retention_h * 3_600_000), "max.message.bytes": str(topic.max_message_bytes)}
    return NewTopic(topic.name, num_partitions=topic.partitions, replication_factor=-1, config=config)


def _created(name: str, answer: "Future[None]") -> None:
    try:
        answer.result()
    except KafkaException as error:
        if error.args[0].code() != BrokerError.TOPIC_ALREADY_EXISTS:
            raise BrokerUnavailable(f"topic {name}: {error.args[0]}") from error


def _reason(error: BaseException) -> str:
    cause = error.__cause__ if isinstance(error, SystemError) else error
    return str(cause.args[0].str() if isinstance(cause, KafkaException) else error)


def _connect(settings: KafkaSettings) -> Producer:
    return Producer(
        {
            "bootstrap.servers": settings.brokers,
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 5,
            "message.timeout.ms": int(settings.request_timeout_s * 1e3),
            "message.max.bytes": topics.VIDEO_POSTED.max_message_bytes,
            "log_level": 2,
        }
    )
