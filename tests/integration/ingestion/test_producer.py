"""Other teams' events: refused before they are sent, or proven to be on the topic."""

from typing import Any

import pytest

from core.errors import DeliveryFailed, EventInvalid
from core.topics import VIDEO_POSTED
from ingestion.producer import VideoEventProducer
from tests.fixtures.clients import records
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.integration


def event(**changes: object) -> dict[str, Any]:
    return {
        "video_id": "shop:1",
        "caption": "mèo",
        "platform": "shop",
        "posted_at": "2026-11-22T09:30:00Z",
        "source": "test",
    } | changes


def test_leaving_the_block_proves_that_every_event_is_on_the_topic(platform: Platform) -> None:
    ids = [f"shop:proof-{number}" for number in range(50)]

    with VideoEventProducer(platform.settings.kafka.brokers) as producer:
        sent = [producer.send(event(video_id=video_id), traceparent="00-1-2-01") for video_id in ids]

    assert producer.unconfirmed == ()
    found = dict(records(platform, VIDEO_POSTED.name))
    assert [found[video_id.encode()] for video_id in ids] == [event.to_bytes() for event in sent]


def test_without_a_broker_the_block_fails_and_names_what_to_send_again(free_port: int) -> None:
    producer = VideoEventProducer(f"127.0.0.1:{free_port}", timeout_s=1.0)

    producer.send(event(video_id="shop:a"))
    producer.send(event(video_id="shop:b"))

    with pytest.raises(DeliveryFailed), producer:
        pass

    assert producer.unconfirmed == ("shop:a", "shop:b")


def test_what_a_block_fails_with_is_not_hidden_by_the_broker(free_port: int) -> None:
    producer = VideoEventProducer(f"127.0.0.1:{free_port}", timeout_s=1.0)
    producer.send(event())

    with pytest.raises(KeyError), producer:
        raise KeyError


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"captoin": "x"}, "event.invalid", "did you mean 'caption'"),
        ({"video_id": "two words"}, "event.video_id", "video_id"),
        ({"schema": "video.posted.v9"}, "event.version", "schema"),
        ({"caption": "x" * 20_001}, "event.caption", "caption"),
        ({"caption": "\ud800"}, "event.malformed", "value"),
        ({"posted_at": "yesterday"}, "event.invalid", "posted_at"),
        ({"posted_at": object()}, "event.invalid", "no JSON"),
        ({"media_uri": "s3://elsewhere/a"}, "event.bucket", "elsewhere"),
        ({"media_uri": "https://a/b.mp4"}, "event.invalid", "s3://bucket/key"),
        ({"platform": None}, "event.invalid", "platform"),
    ],
)
def test_what_the_flow_would_refuse_is_refused_here_and_not_sent(
    free_port: int, changes: dict[str, object], code: str, said: str
) -> None:
    with VideoEventProducer(f"127.0.0.1:{free_port}", timeout_s=1.0) as producer:
        with pytest.raises(EventInvalid, match=said) as refusal:
            producer.send(event(**changes))

        assert refusal.value.code == code
