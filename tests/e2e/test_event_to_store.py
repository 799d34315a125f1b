"""A posted video becomes a row, a record on the topic and an entry of the live view."""

import json
import time

import pytest

from core import topics
from core.events import VideoPosted
from core.labels import Modality, Mode, VerdictKind
from tests.fixtures.scoring import Pipeline

pytestmark = pytest.mark.e2e

INSULT = "you are a stupid worthless bitch, i hate you"


def posted(video_id: str, **fields: object) -> VideoPosted:
    body = {
        "schema": "video.posted.v1",
        "video_id": video_id,
        "platform": "test",
        "posted_at": "2026-01-01T00:00:00Z",
        "source": "test",
    }
    return VideoPosted.model_validate({**body, **fields})


def test_every_posted_video_gets_one_verdict_in_the_database_on_the_topic_and_in_the_live_view(
    pipeline: Pipeline,
) -> None:
    video_ids = pipeline.post(12, prefix="path")

    account = pipeline.wait_for(video_ids)

    assert (account.verdicts, account.duplicates) == (12, 0)
    verdict = pipeline.verdict(video_ids[0])
    assert verdict.modalities[Modality.TEXT].scores
    assert verdict.modalities[Modality.VIDEO].scores
    assert verdict.segments
    assert verdict.media_sha256
    assert verdict.model_version.startswith("text:starter")
    on_topic = {json.loads(value)["video_id"] for value in pipeline.on_topic(topics.VIDEO_VERDICTS.name)}
    assert set(video_ids) <= on_topic
    live = {row.video_id for row in pipeline.live.snapshot().verdicts}
    assert set(video_ids) <= live


def test_a_hateful_caption_alerts_although_its_object_is_missing(pipeline: Pipeline) -> None:
    bucket = pipeline.platform.settings.media.bucket
    pipeline.send(posted("missing-object", media_uri=f"s3://{bucket}/nothing/here.mp4", caption=INSULT))

    verdict = pipeline.verdict("missing-object")

    assert (verdict.verdict, verdict.mode) == (VerdictKind.HARMFUL, Mode.TEXT_ONLY)
    assert verdict.modalities[Modality.VIDEO].code == "media.missing"
    letters = [row.dead_letter for row in pipeline.history.dead_letters(100, code="media.missing")]
    assert "missing-object" in {letter.video_id for letter in letters}


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("empty", b"", "media.empty"),
        ("html", b"<!doctype html><html><body>not found</body></html>", "media.undecodable"),
        ("noise", bytes(range(256)) * 40, "media.undecodable"),
    ],
)
def test_an_object_that_is_no_video_leaves_the_post_unscored_never_safe(
    pipeline: Pipeline, name: str, body: bytes, code: str
) -> None:
    bucket = pipeline.platform.settings.media.bucket
    pipeline.media.put_bytes(bucket, f"bad/{name}", body, "video/mp4")
    pipeline.send(posted(f"bad-{name}", media_uri=f"s3://{bucket}/bad/{name}"))

    verdict = pipeline.verdict(f"bad-{name}")

    assert verdict.verdict is VerdictKind.UNSCORED
    assert verdict.modalities[Modality.VIDEO].code == code


def test_the_same_event_again_adds_nothing_and_another_caption_is_a_new_verdict(pipeline: Pipeline) -> None:
    first = posted("again", caption="lovely day at the beach")
    for _ in range(3):
        pipeline.send(first)
    before = pipeline.verdict("again")
    pipeline.send(posted("again", caption=INSULT))

    deadline_s = time.monotonic() + 30
    while (current := pipeline.verdict("again")).caption != INSULT:
        assert time.monotonic() < deadline_s
        time.sleep(0.1)

    assert current.verdict_id != before.verdict_id
    assert current.verdict is VerdictKind.HARMFUL
    assert pipeline.wait_for(["again"]).duplicates == 0


def test_wrong_records_become_dead_letters_with_their_bytes_and_the_flow_goes_on(pipeline: Pipeline) -> None:
    wrong = {
        b"not json": "event.malformed",
        b'{"schema":"video.posted.v9"}': "event.version",
        posted("x", caption="fine").to_bytes().replace(b'"x"', b'"a b"'): "event.video_id",
        posted("x", media_uri="s3://elsewhere/a").to_bytes(): "event.bucket",
        posted("x", caption="#" * 20_000).to_bytes().replace(b"###", b"####" * 3): "event.caption",
    }
    for value in wrong:
        pipeline.producer.send_bytes(b"key", value)
    pipeline.producer.send_bytes(b"key", posted("old").to_bytes(), timestamp_ms=1_000)
    pipeline.producer.flush()
    after = pipeline.post_texts(["the flow goes on"], prefix="after-wrong")
    pipeline.wait_for(after)

    for value, code in {**wrong, posted("old").to_bytes(): "event.timestamp"}.items():
        letters = [row.dead_letter for row in pipeline.history.dead_letters(100, code=code)]
        stored = [letter for letter in letters if letter.payload == value or letter.payload_uri]
        assert stored, code


@pytest.mark.parametrize(
    "caption", ["", "   ", "😀🔥", "tiê\u0301ng Việt", "مرحبا بالعالم", "x " * 5_000, "<script>alert(1)</script>"]
)
def test_captions_are_scored_or_absent_and_stored_exactly(pipeline: Pipeline, caption: str) -> None:
    video_id = f"caption-{abs(hash(caption))}"
    pipeline.send(posted(video_id, caption=caption))

    verdict = pipeline.verdict(video_id)

    assert verdict.caption == caption
    scored = Modality.TEXT in verdict.modalities
    assert (verdict.verdict is VerdictKind.UNSCORED) is not scored
