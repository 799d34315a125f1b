"""Records → events: whatever a record holds, it becomes an event or one dead letter with its bytes."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import FixedClock
from dataflows.parse import Parser, Posted, Record, Rejected

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PARSER = Parser(
    allowed_buckets=("media",),
    max_ahead=timedelta(hours=24),
    retention=timedelta(days=90),
    clock=FixedClock(NOW),
)
EVENT = {
    "schema": "video.posted.v1",
    "video_id": "v:1",
    "media_uri": "s3://media/a.mp4",
    "caption": "xin chào",
    "platform": "demo",
    "posted_at": "2026-11-22T10:00:00+07:00",
    "source": "test",
}


def record(value: bytes | None, at: datetime | None = NOW, headers: tuple[tuple[str, bytes], ...] = ()) -> Record:
    return Record("video.posted.v1", 0, 5, b"v:1", value, headers, at)


def changed(**fields: object) -> bytes:
    return json.dumps({**EVENT, **fields}).encode()


def without(field: str) -> bytes:
    return json.dumps({key: value for key, value in EVENT.items() if key != field}).encode()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "event.malformed"),
        (b"", "event.malformed"),
        (b"hello", "event.malformed"),
        (b"[1]", "event.malformed"),
        (b"\xff\xfe", "event.malformed"),
        (changed(schema="video.posted.v9"), "event.version"),
        (without("schema"), "event.version"),
        (changed(video_id="a b"), "event.video_id"),
        (changed(video_id=""), "event.video_id"),
        (changed(video_id="x" * 129), "event.video_id"),
        (changed(video_id="a\n"), "event.video_id"),
        (without("video_id"), "event.video_id"),
        (changed(media_uri="s3://elsewhere/a.mp4"), "event.bucket"),
        (changed(media_uri="http://example.org/a.mp4"), "event.invalid"),
        (changed(media_uri="s3://media/"), "event.invalid"),
        (changed(caption="x" * 5_000_000), "event.caption"),
        (changed(caption="a\x00b"), "event.caption"),
        (changed(caption=["a"]), "event.caption"),
        (changed(hashtags=["a\x00"]), "event.invalid"),
        (changed(hashtags=["x"] * 1_000), "event.invalid"),
        (changed(posted_at="2026-11-22T10:00:00"), "event.invalid"),
        (changed(sha256="nope"), "event.invalid"),
    ],
)
def test_a_wrong_event_is_a_dead_letter_with_its_reason_and_its_bytes(value: bytes | None, code: str) -> None:
    rejected = PARSER.parse(record(value))

    assert isinstance(rejected, Rejected)
    assert rejected.dead_letter.code == code
    assert rejected.dead_letter.payload == (value or b"")
    assert rejected.dead_letter.stage == "parse"


@pytest.mark.parametrize(
    "at", [None, datetime(1970, 1, 1, tzinfo=UTC), NOW + timedelta(days=365), NOW + timedelta(hours=25)]
)
def test_a_record_stamped_too_far_from_now_is_a_dead_letter(at: datetime | None) -> None:
    rejected = PARSER.parse(record(changed(), at))

    assert isinstance(rejected, Rejected)
    assert rejected.dead_letter.code == "event.timestamp"


@pytest.mark.parametrize("caption", [None, "", "😀😀", "ti\u0065\u0302\u0301ng", "مرحبا", "x" * 10_000, "<b>hi</b>"])
def test_captions_arrive_exactly(caption: str | None) -> None:
    posted = PARSER.parse(record(changed(caption=caption)))

    assert isinstance(posted, Posted)
    assert posted.event.caption == caption


def test_unknown_fields_are_ignored_and_headers_kept() -> None:
    headers = (("traceparent", b"00-abc-def-01"), ("replay_of", b"video.posted.v1:0:3"))
    posted = PARSER.parse(record(changed(colour="blue"), headers=headers))

    assert isinstance(posted, Posted)
    assert (posted.origin.traceparent, posted.origin.replay_of) == ("00-abc-def-01", "video.posted.v1:0:3")
    assert posted.origin.event_time == NOW


@given(st.binary(max_size=200))
def test_no_bytes_break_the_parser(value: bytes) -> None:
    assert isinstance(PARSER.parse(record(value)), Rejected)
