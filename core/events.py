"""The events on the topics: frozen, versioned, parsed once at the border (`parse`) and written once (`to_bytes`)."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from core.errors import (
    EventBucketRefused,
    EventCaptionInvalid,
    EventInvalid,
    EventMalformed,
    EventVersionUnknown,
    EventVideoIdInvalid,
)
from core.labels import Action, Modality, Mode, VerdictKind
from core.media.protocol import Sampling

MAX_CAPTION_CHARS = 20_000
MAX_HASHTAGS = 100
VIDEO_ID_PATTERN = r"^[A-Za-z0-9_.:-]{1,128}$"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MEDIA_URI = re.compile(r"^s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.{1,1024})$")


def _storable(text: str) -> str:
    # PostgreSQL text cannot hold NUL, and UTF-8 cannot hold lone surrogates: refuse here, not in the writer.
    if _UNSTORABLE.search(text):
        raise ValueError("holds NUL or surrogate characters")
    return text


Storable = Annotated[str, AfterValidator(_storable)]
ShortText = Annotated[str, StringConstraints(max_length=256), AfterValidator(_storable)]


class Event(BaseModel):
    """A fact on a topic: frozen, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @cached_property
    def as_json(self) -> str:
        """The event as JSON; written once, however many stores it goes to."""
        return self.model_dump_json(by_alias=True)

    def to_bytes(self) -> bytes:
        """The record's value: JSON, UTF-8."""
        return self.as_json.encode()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A changed copy; what was cached of the original is not."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("as_json", None)
        return copy


class VideoPosted(Event):
    """A video, or a text-only post, was published (`video.posted.v1`, key = video_id)."""

    # Required, unlike in what we write: a record that does not say its version is not of this version.
    schema_: Literal["video.posted.v1"] = Field(alias="schema")
    video_id: str = Field(pattern=VIDEO_ID_PATTERN)
    media_uri: Annotated[str, StringConstraints(max_length=1_100), AfterValidator(_storable)] | None = None
    caption: Annotated[str, StringConstraints(max_length=MAX_CAPTION_CHARS), AfterValidator(_storable)] | None = None
    hashtags: Annotated[tuple[ShortText, ...], Field(max_length=MAX_HASHTAGS)] = ()
    author_id: ShortText | None = None
    platform: ShortText = Field(min_length=1)
    language: ShortText | None = None
    posted_at: AwareDatetime
    source: ShortText = Field(min_length=1)
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    @classmethod
    def parse(cls, value: bytes | None, *, allowed_buckets: tuple[str, ...]) -> Self:
        """Read a record's value.

        Raises:
            EventInvalid: or the subclass whose code names the reason.
        """
        try:
            event = cls.model_validate_json(value or b"")
        except ValidationError as error:
            raise _invalid(error) from error
        _check_bucket(event, allowed_buckets)
        return event

    @property
    def media(self) -> tuple[str, str] | None:
        """Bucket and key of the object, None for a text-only post."""
        match = MEDIA_URI.match(self.media_uri) if self.media_uri is not None else None
        return (match[1], match[2]) if match else None

    @property
    def caption_sha256(self) -> str:
        """What tells two captions apart; a null and an empty caption are the same."""
        return hashlib.sha256((self.caption or "").encode()).hexdigest()


def _check_bucket(event: VideoPosted, allowed_buckets: tuple[str, ...]) -> None:
    if event.media_uri is None:
        return
    if event.media is None:
        raise EventInvalid(f"media_uri {event.media_uri[:80]!r} is not s3://bucket/key")
    if event.media[0] not in allowed_buckets:
        raise EventBucketRefused(f"bucket {event.media[0]!r} is not one of {', '.join(allowed_buckets)}")


_CODES: Mapping[str, type[EventInvalid]] = {
    "schema": EventVersionUnknown,
    "video_id": EventVideoIdInvalid,
    "caption": EventCaptionInvalid,
}


def _invalid(error: ValidationError) -> EventInvalid:
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    kind = EventMalformed if not where else _CODES.get(where, EventInvalid)
    return kind(f"{where or 'value'}: {first['msg']}")


class ModalityScore(BaseModel):
    """One modality's probabilities per label, or the code that says why there are none."""

    model_config = ConfigDict(frozen=True)

    scores: dict[str, float] | None = None
    code: str | None = None


class Signal(BaseModel):
    """A rule or hash that fired beside the model's score, with the caption span that fired it."""

    model_config = ConfigDict(frozen=True)

    rule: str
    label: str
    start: int
    end: int
    text: str


class Segment(BaseModel):
    """A stretch of the video and how harmful the video model finds it, in [0, 1]."""

    model_config = ConfigDict(frozen=True)

    start_s: float
    end_s: float
    score: float


class CaptionSpan(BaseModel):
    """Characters [start, end) of the caption and how much they weigh, in [0, 1]."""

    model_config = ConfigDict(frozen=True)

    start: int
    end: int
    score: float


class RecordRef(BaseModel):
    """Where a record lies."""

    model_config = ConfigDict(frozen=True)

    topic: str
    partition: int
    offset: int


class Verdict(Event):
    """What was decided about a posted video, with its evidence (`video.verdicts.v1`, key = video_id).

    `sampling` says which frames of the clip were looked at; it is null without a clip.
    """

    schema_: Literal["video.verdicts.v1"] = Field(default="video.verdicts.v1", alias="schema")
    verdict_id: str
    video_id: str
    event_time: AwareDatetime
    decided_at: AwareDatetime
    verdict: VerdictKind
    action: Action
    mode: Mode
    label: str | None
    score: float | None
    label_scores: dict[str, float]
    modalities: dict[Modality, ModalityScore]
    signals: tuple[Signal, ...] = ()
    segments: tuple[Segment, ...] = ()
    caption_spans: tuple[CaptionSpan, ...] = ()
    model_version: str
    policy_version: str
    media_uri: str | None
    media_sha256: str | None
    sampling: Sampling | None = None
    caption: str | None
    caption_sha256: str
    hashtags: tuple[str, ...] = ()
    author_id: str | None
    platform: str
    language: str | None
    posted_at: AwareDatetime
    source: str
    record: RecordRef
    traceparent: str | None = None
    replay_of: str | None = None
    timings_ms: dict[str, float] = Field(default_factory=dict)

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class DeadLetter(Event):
    """A record, or one modality of it, that could not be used (`video.dead.v1`).

    `payload` holds the original bytes up to 256 KB, else None and `payload_uri` names the object. As JSON, bytes (key,
    values of headers, payload) are URL-safe base64 (RFC 4648, section 5), padded.
    """

    schema_: Literal["video.dead.v1"] = Field(default="video.dead.v1", alias="schema")
    code: str
    message: str
    stage: str
    attempts: int = 1
    record: RecordRef
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    payload: bytes | None = None
    payload_uri: str | None = None
    video_id: str | None = None
    record_time: AwareDatetime
    died_at: AwareDatetime

    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, ser_json_bytes="base64", val_json_bytes="base64"
    )


def verdict_id(video_id: str, event_time: datetime, model_version: str, policy_version: str) -> str:
    """The same event under the same models and policy is the same verdict, wherever it is computed."""
    parts = (video_id, event_time.isoformat(), model_version, policy_version)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


EVENTS: tuple[type[Event], ...] = (VideoPosted, Verdict, DeadLetter)
