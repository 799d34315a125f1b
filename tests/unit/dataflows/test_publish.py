"""A verdict whose place the broker cannot name is not published yet."""

import pytest
from confluent_kafka import Message

from core.errors import DeliveryFailed
from core.settings import KafkaSettings
from dataflows.publish import TopicPublisher
from tests.fixtures.stores import make_verdict


class Forgetful(TopicPublisher):
    """Its broker has seen every record and can place none."""

    def _produce(self, topic: str, key: bytes | None, value: bytes) -> None:
        self._confirm(None, Message(topic=topic, partition=0, offset=-1001, key=key, value=value))


def test_a_verdict_without_a_place_is_unconfirmed() -> None:
    with pytest.raises(DeliveryFailed, match="1 records unconfirmed: the broker has seen it"):
        Forgetful(KafkaSettings()).send([make_verdict("v:1")], [])
