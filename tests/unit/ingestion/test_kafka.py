"""A report that does not say where the record lies leaves its event unconfirmed."""

from typing import Any

import pytest
from confluent_kafka import Message

from core.errors import DeliveryFailed
from core.settings import KafkaSettings
from ingestion.kafka import EventProducer


class Forgetful(EventProducer):
    """Its broker has seen every record and can place none."""

    def _produce(self, key: bytes | None, value: bytes, record: dict[str, Any], on_delivery: Any) -> bool:  # noqa: ANN401 - the client's
        on_delivery(None, Message(topic="t", partition=0, offset=-1001, key=key, value=value))
        return True


def test_a_record_without_a_place_is_told_to_nobody_as_delivered() -> None:
    told: list[str] = []
    producer = Forgetful(KafkaSettings(), on_delivered=told.append)
    producer.send_bytes(b"v:1", b"{}", on_report=lambda partition, offset: told.append(f"{partition}/{offset}"))

    with pytest.raises(DeliveryFailed, match="1 events unconfirmed: the broker has seen it"):
        producer.flush()

    assert (told, producer.confirmed) == ([], 0)
