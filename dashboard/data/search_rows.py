"""What the search answers with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.labels import Action, Mode, VerdictKind
from core.storage.reviews import Decision


@dataclass(frozen=True)
class Row:
    """A video with its current verdict, in the order of `search_sql.COLUMNS`."""

    video_id: str
    event_time: datetime
    decided_at: datetime
    verdict: VerdictKind
    action: Action
    mode: Mode
    label: str | None
    score: float | None
    author_id: str | None
    caption: str | None
    hashtags: Sequence[str]
    language: str | None
    source: str
    platform: str
    model_version: str
    policy_version: str
    verdict_id: str
    media_sha256: str | None
    has_video: bool


@dataclass(frozen=True)
class Page:
    """A part of an answer.

    Attributes:
        before: token of the page before this one; empty on the first.
        after: token of the next page; empty on the last.
    """

    rows: Sequence[Row] = ()
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Choices:
    """What the newest videos hold, so that nobody needs to guess."""

    label: Sequence[str] = ()
    model_version: Sequence[str] = ()
    source: Sequence[str] = ()
    language: Sequence[str] = ()


@dataclass(frozen=True)
class Version:
    """One verdict that was ever given on a video."""

    verdict_id: str
    event_time: datetime
    decided_at: datetime
    verdict: VerdictKind
    label: str | None
    score: float | None
    model_version: str
    policy_version: str


@dataclass(frozen=True)
class Seen:
    """One record of it that was read."""

    event_time: datetime
    topic: str
    partition: int
    offset: int
    verdict_id: str
    replay_of: str | None


@dataclass(frozen=True)
class Story:
    """What happened to a video, newest first, each up to a limit."""

    versions: Sequence[Version]
    decisions: Sequence[Decision]
    sightings: Sequence[Seen]
