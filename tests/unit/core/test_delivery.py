"""What proves that a record is on its topic."""

import pytest
from confluent_kafka import KafkaError, Message

from core.delivery import no_proof


def test_a_place_on_the_topic_is_proof() -> None:
    assert no_proof(None, Message(topic="t", partition=0, offset=0)) is None


@pytest.mark.parametrize("offset", [-1, -1001])
def test_a_record_that_the_broker_cannot_find_is_unconfirmed(offset: int) -> None:
    assert "where it lies" in (no_proof(None, Message(topic="t", partition=0, offset=offset)) or "")


def test_the_words_of_the_broker_are_kept() -> None:
    fault = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)

    assert no_proof(fault, Message(topic="t", partition=0, offset=1)) == fault.str()
