"""Events reach the topic with proof, or the producer says which did not."""

import socket

import pytest
from confluent_kafka.admin import AdminClient

from core import topics
from core.errors import BrokerUnavailable, DeliveryFailed
from core.settings import KafkaSettings
from dataflows.publish import TopicPublisher
from ingestion.kafka import EventProducer, create_topics
from tests.fixtures.platform import Platform
from tests.fixtures.stores import make_verdict

pytestmark = pytest.mark.integration


@pytest.fixture
def nowhere() -> KafkaSettings:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    return KafkaSettings(brokers=f"127.0.0.1:{port}", request_timeout_s=1.5)


def test_topics_are_created_once_with_their_partitions(platform: Platform) -> None:
    assert create_topics(platform.settings.kafka) == []

    found = AdminClient({"bootstrap.servers": platform.settings.kafka.brokers}).list_topics(timeout=10).topics
    for topic in topics.TOPICS:
        assert len(found[topic.name].partitions) == topic.partitions


def test_no_broker_is_an_error_of_the_surroundings(nowhere: KafkaSettings) -> None:
    with pytest.raises(BrokerUnavailable):
        create_topics(nowhere)


def test_every_event_is_confirmed(platform: Platform) -> None:
    told: list[str] = []
    producer = EventProducer(platform.settings.kafka, on_delivered=told.append)

    for number in range(20):
        producer.send_bytes(b"k%d" % number, b"{}")
    producer.flush()

    assert producer.confirmed == len(told) == 20


def test_an_unconfirmed_event_is_an_error_and_the_producer_can_be_used_again(nowhere: KafkaSettings) -> None:
    producer = EventProducer(nowhere)
    producer.send_bytes(b"key", b"value")

    with pytest.raises(DeliveryFailed, match="1 events unconfirmed"):
        producer.flush()
    producer.flush()


def test_a_record_over_the_largest_size_is_refused_at_once(nowhere: KafkaSettings) -> None:
    with pytest.raises(DeliveryFailed, match="size"):
        EventProducer(nowhere).send_bytes(b"key", b"x" * (topics.VIDEO_POSTED.max_message_bytes + 1))


def test_the_writer_is_told_when_a_verdict_was_not_confirmed(nowhere: KafkaSettings) -> None:
    with pytest.raises(DeliveryFailed):
        TopicPublisher(nowhere).send([make_verdict("v:1")], [])


def test_two_producers_on_one_partition_do_not_disturb_each_other(platform: Platform) -> None:
    producers = [EventProducer(platform.settings.kafka) for _ in range(2)]

    for _ in range(10):
        for producer in producers:
            producer.send_bytes(b"same key", b"{}")
            producer.flush()

    assert [producer.confirmed for producer in producers] == [10, 10]
