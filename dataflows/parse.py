"""Record → event, or the dead letter that says why not: the border of the flow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.clock import Clock
from core.errors import EventInvalid, EventTimestampInvalid, InputError
from core.events import DeadLetter, RecordRef, VideoPosted
from dataflows.decide import Origin

TRACEPARENT = "traceparent"
REPLAY_OF = "replay_of"
_HEADER_CHARS = 200


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record as it was read; `record_time` is None when the broker gave none, or one no calendar holds."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    record_time: datetime | None

    @property
    def ref(self) -> RecordRef:
        """Where it lies."""
        return RecordRef(topic=self.topic, partition=self.partition, offset=self.offset)


@dataclass(frozen=True, slots=True)
class Posted:
    """A record that parsed."""

    record: Record
    event: VideoPosted
    origin: Origin


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that is only a dead letter."""

    record: Record
    dead_letter: DeadLetter


class Parser:
    """Parses records; never raises for what a record holds."""

    def __init__(
        self, *, allowed_buckets: tuple[str, ...], max_ahead: timedelta, retention: timedelta, clock: Clock
    ) -> None:
        self._allowed_buckets = allowed_buckets
        self._max_ahead = max_ahead
        self._retention = retention
        self._clock = clock

    def parse(self, record: Record) -> Posted | Rejected:
        """The record's event, or its dead letter `event.*`."""
        now = self._clock.now()
        try:
            event_time = self._event_time(record, now)
            event = VideoPosted.parse(record.value, allowed_buckets=self._allowed_buckets)
        except EventInvalid as error:
            return Rejected(record, dead_letter(record, error, stage="parse", now=now))
        origin = Origin(
            record=record.ref,
            event_time=event_time,
            traceparent=_header(record.headers, TRACEPARENT),
            replay_of=_header(record.headers, REPLAY_OF),
        )
        return Posted(record, event, origin)

    def _event_time(self, record: Record, now: datetime) -> datetime:
        at = record.record_time
        if at is None:
            raise EventTimestampInvalid("the record carries no timestamp")
        if at > now + self._max_ahead:
            raise EventTimestampInvalid(f"record timestamp {at.isoformat()} lies too far ahead of {now.isoformat()}")
        if at < now - self._retention:
            raise EventTimestampInvalid(f"record timestamp {at.isoformat()} is older than retention")
        return at


def dead_letter(
    record: Record, error: InputError, *, stage: str, now: datetime, attempts: int = 1, video_id: str | None = None
) -> DeadLetter:
    """What is kept of a record that could not be used: the reason and the original bytes."""
    return DeadLetter(
        code=error.code,
        message=_printable(error.message),
        stage=stage,
        attempts=attempts,
        record=record.ref,
        key=record.key,
        headers=record.headers,
        payload=record.value or b"",
        video_id=video_id,
        record_time=record.record_time or datetime.fromtimestamp(0, UTC),
        died_at=now,
    )


def _header(headers: Sequence[tuple[str, bytes]], name: str) -> str | None:
    for key, value in headers:
        if key == name and value:
            return _printable(value[:_HEADER_CHARS].decode("ascii", "replace"))
    return None


def _printable(text: str) -> str:
    """What any store can keep: no NUL, no surrogates."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()[:2_000]
