"""The one table of topics."""

import re

import pytest

from core.events import EVENTS
from core.topics import TOPICS, Topic


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_is_named_subject_event_version(topic: Topic) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+\.v\d+", topic.name)


def test_every_event_has_its_topic_and_every_topic_its_event() -> None:
    schemas = {event.model_json_schema(by_alias=True)["properties"]["schema"]["const"] for event in EVENTS}

    assert schemas == {topic.name for topic in TOPICS}


def test_topics_that_share_a_key_share_their_partitions() -> None:
    assert len({topic.partitions for topic in TOPICS if topic.key == "video_id"}) == 1
