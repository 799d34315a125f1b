"""Whether the broker answers what reading begins with: asked before Bytewax takes over, where waiting can be ended."""

from confluent_kafka import Consumer, KafkaException, TopicPartition

from core import topics
from core.errors import BrokerUnavailable
from core.settings import KafkaSettings

ANSWER_TIMEOUT_S = 3.0


def ask_broker(settings: KafkaSettings) -> None:
    """Return once the broker named the partitions of `video.posted.v1` and the group's offsets.

    Raises:
        BrokerUnavailable: it did not, or the topic is not there yet.
    """
    name = topics.VIDEO_POSTED.name
    consumer = Consumer({"bootstrap.servers": settings.brokers, "group.id": settings.group, "log_level": 2})
    try:
        found = consumer.list_topics(name, timeout=ANSWER_TIMEOUT_S).topics[name]
        if found.error is not None or not found.partitions:
            raise BrokerUnavailable(f"topic {name} does not exist yet: {found.error}")
        # Held by the group's coordinator, which may be away while the others answer.
        consumer.committed([TopicPartition(name, min(found.partitions))], timeout=ANSWER_TIMEOUT_S)
    except KafkaException as error:
        raise BrokerUnavailable(f"{settings.brokers}: {error.args[0].str()}") from error
    finally:
        consumer.close()
