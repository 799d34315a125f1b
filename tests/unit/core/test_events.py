"""Events: parsed once at the border with a code for each reason, written once, and nothing lost between."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.errors import (
    EventBucketRefused,
    EventCaptionInvalid,
    EventInvalid,
    EventMalformed,
    EventVersionUnknown,
    EventVideoIdInvalid,
)
from core.events import (
    MAX_CAPTION_CHARS,
    VIDEO_ID_PATTERN,
    CaptionSpan,
    DeadLetter,
    ModalityScore,
    RecordRef,
    Segment,
    Signal,
    Verdict,
    VideoPosted,
    verdict_id,
)
from core.labels import Action, Modality, Mode, VerdictKind
from core.media.protocol import Sampling

BUCKETS = ("clipwarden-media",)
AT = datetime(2026, 11, 22, 10, 42, 7, tzinfo=UTC)
POSTED: dict[str, Any] = {
    "schema": "video.posted.v1",
    "video_id": "tiktok:1",
    "media_uri": "s3://clipwarden-media/videos/aa/aa",
    "caption": "một ngày đẹp trời",
    "platform": "tiktok",
    "posted_at": "2026-11-22T10:42:07Z",
    "source": "crawler",
}

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=60)
short_texts = texts.filter(bool)
video_ids = st.from_regex(VIDEO_ID_PATTERN.removesuffix("$") + r"\Z")
hashes = st.from_regex(r"\A[0-9a-f]{64}\Z")
instants = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - see zones
scores = st.floats(0, 1)
labels = st.dictionaries(short_texts, scores, max_size=4)
records = st.builds(RecordRef, topic=short_texts, partition=st.integers(0, 99), offset=st.integers(0, 2**62))
spans = st.builds(CaptionSpan, start=st.integers(0, 99), end=st.integers(0, 99), score=scores)

posted_events = st.builds(
    VideoPosted,
    schema_=st.just("video.posted.v1"),
    video_id=video_ids,
    media_uri=st.none() | st.from_regex(r"\As3://clipwarden-media/[a-z/]{1,40}\Z"),
    caption=st.none() | texts,
    hashtags=st.lists(texts, max_size=3).map(tuple),
    author_id=st.none() | texts,
    platform=short_texts,
    language=st.none() | texts,
    posted_at=instants,
    source=short_texts,
    sha256=st.none() | hashes,
)
verdicts = st.builds(
    Verdict,
    verdict_id=hashes,
    video_id=video_ids,
    event_time=instants,
    decided_at=instants,
    verdict=st.sampled_from(VerdictKind),
    action=st.sampled_from(Action),
    mode=st.sampled_from(Mode),
    label=st.none() | short_texts,
    score=st.none() | scores,
    label_scores=labels,
    modalities=st.dictionaries(st.sampled_from(Modality), st.builds(ModalityScore, scores=st.none() | labels)),
    signals=st.lists(
        st.builds(Signal, rule=texts, label=texts, start=st.just(0), end=st.just(1), text=texts), max_size=2
    ).map(tuple),
    segments=st.lists(st.builds(Segment, start_s=scores, end_s=scores, score=scores), max_size=2).map(tuple),
    caption_spans=st.lists(spans, max_size=2).map(tuple),
    model_version=short_texts,
    policy_version=short_texts,
    media_uri=st.none() | texts,
    media_sha256=st.none() | hashes,
    sampling=st.none() | st.sampled_from(Sampling),
    caption=st.none() | texts,
    caption_sha256=hashes,
    author_id=st.none() | texts,
    platform=short_texts,
    language=st.none() | texts,
    posted_at=instants,
    source=short_texts,
    record=records,
    timings_ms=labels,
)
dead_letters = st.builds(
    DeadLetter,
    code=short_texts,
    message=texts,
    stage=short_texts,
    record=records,
    key=st.none() | st.binary(max_size=40),
    headers=st.lists(st.tuples(texts, st.binary(max_size=40)), max_size=3).map(tuple),
    payload=st.none() | st.binary(max_size=200),
    record_time=instants,
    died_at=instants,
)


def _bytes(**changes: object) -> bytes:
    return json.dumps({**POSTED, **changes}).encode()


@given(posted_events)
def test_a_posted_event_reads_back_as_it_was_written(event: VideoPosted) -> None:
    assert VideoPosted.parse(event.to_bytes(), allowed_buckets=BUCKETS) == event


@given(verdicts)
def test_a_verdict_reads_back_as_it_was_written(verdict: Verdict) -> None:
    assert Verdict.model_validate_json(verdict.to_bytes()) == verdict


@given(dead_letters)
def test_a_dead_letter_keeps_the_original_bytes(letter: DeadLetter) -> None:
    assert DeadLetter.model_validate_json(letter.to_bytes()) == letter


def test_an_unknown_field_is_ignored() -> None:
    event = VideoPosted.parse(_bytes(mood="sunny"), allowed_buckets=BUCKETS)

    assert event == VideoPosted.parse(_bytes(), allowed_buckets=BUCKETS)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, EventMalformed),
        (b"", EventMalformed),
        (b"\xff\xfe", EventMalformed),
        (b"[]", EventMalformed),
        (b"null", EventMalformed),
        (b"{", EventMalformed),
        (_bytes(schema="video.posted.v2"), EventVersionUnknown),
        (_bytes(schema=None), EventVersionUnknown),
        (b"{}", EventVersionUnknown),
        (_bytes(video_id=""), EventVideoIdInvalid),
        (_bytes(video_id="a" * 129), EventVideoIdInvalid),
        (_bytes(video_id="../etc"), EventVideoIdInvalid),
        (_bytes(video_id="a\n"), EventVideoIdInvalid),
        (_bytes(caption="a" * (MAX_CAPTION_CHARS + 1)), EventCaptionInvalid),
        (_bytes(caption="a\x00b"), EventCaptionInvalid),
        (_bytes(caption=7), EventCaptionInvalid),
        (_bytes(media_uri="file:///etc/passwd"), EventInvalid),
        (_bytes(media_uri="s3://other/x"), EventBucketRefused),
        (_bytes(posted_at="2026-11-22T10:42:07"), EventInvalid),
        (_bytes(posted_at="yesterday"), EventInvalid),
        (_bytes(platform=""), EventInvalid),
        (_bytes(hashtags=["a"] * 101), EventInvalid),
        (_bytes(hashtags="a"), EventInvalid),
        (_bytes(sha256="A" * 64), EventInvalid),
    ],
)
def test_what_is_no_event_is_refused_by_its_reason(value: bytes | None, kind: type[EventInvalid]) -> None:
    with pytest.raises(EventInvalid) as info:
        VideoPosted.parse(value, allowed_buckets=BUCKETS)

    assert type(info.value) is kind


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(value: bytes) -> None:
    with suppress(EventInvalid):
        VideoPosted.parse(value, allowed_buckets=BUCKETS)


def test_a_lone_surrogate_is_refused_here_and_not_by_the_database() -> None:
    with pytest.raises(EventInvalid):
        VideoPosted.parse(_bytes(caption="\ud800"), allowed_buckets=BUCKETS)


def test_a_post_without_media_is_a_text_post() -> None:
    assert VideoPosted.parse(_bytes(media_uri=None), allowed_buckets=BUCKETS).media is None


def test_bucket_and_key_come_from_the_uri() -> None:
    event = VideoPosted.parse(_bytes(), allowed_buckets=BUCKETS)

    assert event.media == ("clipwarden-media", "videos/aa/aa")


def test_null_and_empty_captions_are_the_same_caption() -> None:
    null, empty = (VideoPosted.parse(_bytes(caption=caption), allowed_buckets=BUCKETS) for caption in (None, ""))

    assert null.caption_sha256 == empty.caption_sha256


def test_an_event_does_not_change() -> None:
    event = VideoPosted.parse(_bytes(), allowed_buckets=BUCKETS)

    with pytest.raises(ValidationError):
        event.caption = "other"  # type: ignore[misc]  # that it is refused is the promise


def test_the_verdict_id_follows_from_video_time_models_and_policy_alone() -> None:
    same = verdict_id("v", AT, "text:1", "starter@0")
    others = [
        verdict_id("w", AT, "text:1", "starter@0"),
        verdict_id("v", AT + timedelta(milliseconds=1), "text:1", "starter@0"),
        verdict_id("v", AT, "text:2", "starter@0"),
        verdict_id("v", AT, "text:1", "starter@1"),
    ]

    assert same == verdict_id("v", AT, "text:1", "starter@0")
    assert same not in others
