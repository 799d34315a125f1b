"""What may be asked of the videos: filters, order, and a place in the answer to go on from. Pure."""

import base64
import binascii
import json
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum

from core.labels import VerdictKind
from dashboard.asked import is_storable

MAX_TOKEN_CHARS = 8_000


class Sort(StrEnum):
    """What the answer is ordered by; equals follow each other by time."""

    TIME = "time"
    SCORE = "score"
    VERDICT = "verdict"
    LABEL = "label"
    LANGUAGE = "language"
    SOURCE = "source"
    MODEL = "model"


@dataclass(frozen=True)
class Query:
    """Filters, all of which must hold, and an order. What is typed is data: no sign in it has a meaning of its own.

    Attributes:
        video_id: the beginning of one, or a whole verdict_id.
        words: each must be in the caption, whatever its case and accents.
        hashtag: as `words`, with or without its #.
        since: inclusive, by event_time.
        until: exclusive.
    """

    video_id: str = ""
    author: str = ""
    hashtag: str = ""
    words: str = ""
    verdicts: tuple[VerdictKind, ...] = ()
    label: str = ""
    score_min: float | None = None
    score_max: float | None = None
    model_version: str = ""
    source: str = ""
    language: str = ""
    since: datetime | None = None
    until: datetime | None = None
    sort: Sort = Sort.TIME
    ascending: bool = False

    @property
    def narrowed(self) -> tuple[str, ...]:
        """The filters that are set, by the names of their fields."""
        return tuple(name for name in FILTERS if getattr(self, name) != _DEFAULTS[name])

    def without(self, name: str) -> "Query":
        """The same query with one filter cleared."""
        return replace(self, **{name: _DEFAULTS[name]})  # type: ignore[arg-type] # each its own default


_DEFAULTS = {field.name: field.default for field in fields(Query)}
FILTERS = tuple(name for name in _DEFAULTS if name not in {"sort", "ascending"})


@dataclass(frozen=True)
class Place:
    """A video in an ordered answer, and on which side of it the wanted page lies.

    Attributes:
        value: what the answer is ordered by; the video's own where that is its time.
    """

    value: str | float
    event_time: datetime
    video_id: str
    is_before: bool = False

    def token(self) -> str:
        """The place for an address."""
        parts = [self.value, self.event_time.isoformat(), self.video_id, self.is_before]
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, token: str) -> "Place | None":
        """The place of a token; None for anything else: then the answer begins at its beginning."""
        if len(token) > MAX_TOKEN_CHARS:
            return None
        try:
            parts = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            value, event_time, video_id, is_before = parts
            at = datetime.fromisoformat(event_time).astimezone(UTC)
            value = value if isinstance(value, str) else float(value)
        except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
            return None
        is_place = isinstance(video_id, str) and is_storable(f"{value}{video_id}")
        return cls(value, at, video_id, bool(is_before)) if is_place else None


def fits(place: Place | None, sort: Sort) -> Place | None:
    """The place, if it is one in an answer of this order."""
    if place is None or sort is Sort.TIME or isinstance(place.value, str) != (sort is Sort.SCORE):
        return place
    return None
