"""Verdicts and dead letters → their topics: done only when the broker confirmed each record."""

from collections.abc import Iterable

from confluent_kafka import KafkaError as BrokerError
from confluent_kafka import KafkaException, Message, Producer

from core import topics
from core.delivery import no_proof
from core.errors import DeliveryFailed
from core.events import DeadLetter, Verdict
from core.settings import KafkaSettings


class TopicPublisher:
    """A producer that proves each delivery. Thread-safe by use: one writer owns it."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._timeout_s = settings.request_timeout_s
        self._failures: list[str] = []
        self._settings = settings
        self._producer = _connect(settings)

    def send(self, verdicts: Iterable[Verdict], dead_letters: Iterable[DeadLetter]) -> None:
        """Produce a batch; returns after every record was confirmed.

        Raises:
            DeliveryFailed: some were not; send the whole batch again (consumers tell repeats by verdict_id).
        """
        self._failures.clear()
        try:
            for verdict in verdicts:
                self._produce(topics.VIDEO_VERDICTS.name, verdict.video_id.encode(), verdict.to_bytes())
            for letter in dead_letters:
                self._produce(topics.VIDEO_DEAD.name, letter.key, letter.to_bytes())
            left = self._producer.flush(self._timeout_s)
        except (KafkaException, SystemError) as error:
            # The second: a fatal error that came while the client called us with a delivery report.
            self._reconnect()
            raise DeliveryFailed(f"the client failed: {error.__cause__ or error}") from error
        if self._failures or left:
            self._reconnect()
            raise DeliveryFailed(
                f"{left + len(self._failures)} records unconfirmed: {[*self._failures, 'time ran out'][0]}"
            )

    def _produce(self, topic: str, key: bytes | None, value: bytes) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=self._confirm)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def _reconnect(self) -> None:
        """A new client: what is half-sent is forgotten, and a fatal client error cannot outlive its batch."""
        self._producer.purge()
        self._producer = _connect(self._settings)

    def _confirm(self, error: BrokerError | None, message: Message) -> None:
        if (reason := no_proof(error, message)) is not None:
            self._failures.append(reason)


def _connect(settings: KafkaSettings) -> Producer:
    return Producer(
        {
            "bootstrap.servers": settings.brokers,
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 2,
            "message.timeout.ms": int(settings.request_timeout_s * 1e3),
            "message.max.bytes": topics.VIDEO_VERDICTS.max_message_bytes,
            "log_level": 2,
        }
    )
