"""Which alert goes to which route, and what is held back: pure, asked by the router before anything is sent."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from hashlib import sha256
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors_console import SettingRefused
from core.labels import Action, VerdictKind

URL_LIMIT = 2_000
NAME_LIMIT = 60
DIGEST_VIDEOS = 20
"""How many of the held-back videos a digest names, the highest scores first."""
MAIL = "mailto:"
MAIL_LIMIT = 254
# What every mail server takes; quoted local parts and comments are left out on purpose.
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


class Severity(IntEnum):
    """How urgent an alert is; a higher one breaks the cooldown of a lower."""

    REVIEW = 1
    ALERT = 2


class Channel(StrEnum):
    """By what a route is told: signed JSON for a program, a message for a chat (Slack and alike), or an e-mail."""

    WEBHOOK = "webhook"
    CHAT = "chat"
    EMAIL = "email"


class Tongue(StrEnum):
    """In what a message for people is written."""

    ENGLISH = "en"
    VIETNAMESE = "vi"


class Outcome(StrEnum):
    """What becomes of an alert on one route."""

    SEND = "send"
    SAME_VIDEO = "same_video"
    SAME_AUTHOR = "same_author"
    OVER_RATE = "over_rate"
    DIGEST_ONLY = "digest_only"


class Alert(BaseModel):
    """What is known of a flagged video; the caption is not part of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    video_id: str
    verdict_id: str
    verdict: VerdictKind
    action: Action
    label: str | None
    score: float | None
    source: str
    language: str | None
    platform: str
    author_id: str | None
    event_time: AwareDatetime
    decided_at: AwareDatetime
    model_version: str
    policy_version: str

    @property
    def severity(self) -> Severity:
        """As the action asks."""
        return Severity.ALERT if self.action is Action.ALERT else Severity.REVIEW


class Terms(BaseModel):
    """What a route wants, and how it is told: an empty set is everything.

    Attributes:
        min_score: alerts with a lower one, or with none, are not for this route; 0 takes all.
        per_hour: alerts sent in any hour at the most; 0 sends none alone. Digests of what was held back come on top.
        digest_s: how long what was held back is gathered before it comes as one digest.
        video_window_s, author_window_s: after an alert, one no more severe for the same video, or by the same author,
            is held back for so long; 0 holds nothing back.
        has_caption: whether the caption is sent too.
        tongue: of messages for people; a webhook has no words of ours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdicts: frozenset[VerdictKind] = frozenset({VerdictKind.HARMFUL})
    labels: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.0
    per_hour: Annotated[int, Field(ge=0, le=10_000)] = 60
    digest_s: Annotated[int, Field(ge=60, le=7 * 86_400)] = 900
    video_window_s: Annotated[int, Field(ge=0, le=7 * 86_400)] = 3_600
    author_window_s: Annotated[int, Field(ge=0, le=7 * 86_400)] = 300
    has_caption: bool = False
    channel: Channel = Channel.WEBHOOK
    tongue: Tongue = Tongue.ENGLISH

    def wants(self, alert: Alert) -> bool:
        """Whether the alert is for this route at all."""
        return (
            (not self.verdicts or alert.verdict in self.verdicts)
            and (not self.labels or alert.label in self.labels)
            and (not self.sources or alert.source in self.sources)
            and (not self.languages or alert.language in self.languages)
            and (alert.score if alert.score is not None else -math.inf if self.min_score else 0.0) >= self.min_score
        )


class RouteForm(BaseModel):
    """A route as a person writes it; its secret is made, never chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=NAME_LIMIT)]
    url: Annotated[str, Field(max_length=URL_LIMIT)]
    terms: Terms = Terms()
    is_enabled: bool = True

    @model_validator(mode="after")
    def _leads_outside(self) -> Self:
        (_check_mailbox if self.terms.channel is Channel.EMAIL else _check_web)(self.url)
        return self

    @property
    def shown_url(self) -> str:
        """The address for lists and the audit log: who knows a chat's address may write there, so its path is left out.

        What stands there instead changes with the address: that it was changed can be seen.
        """
        if self.terms.channel is not Channel.CHAT:
            return self.url
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}/\N{HORIZONTAL ELLIPSIS}#{sha256(self.url.encode()).hexdigest()[:8]}"

    @classmethod
    def read(cls, **fields: object) -> Self:
        """What was written, checked.

        Raises:
            SettingRefused: with the first thing that is wrong.
        """
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            if first["loc"] == ("name",) and first["type"] == "string_too_short":
                raise SettingRefused("a route needs a name") from error
            where = ".".join(str(part) for part in first["loc"])
            raise SettingRefused("{field} cannot be that: {reason}", field=where, reason=first["msg"]) from error


def is_mailbox(address: str) -> bool:
    """Whether it is one plain e-mail address."""
    return len(address) <= MAIL_LIMIT and _MAILBOX.fullmatch(address) is not None


def _check_web(url: str) -> None:
    """Where it may really lead, the gate decides at each delivery: names change their addresses."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises on nonsense
    except ValueError as error:
        raise SettingRefused("the address cannot be read; write it as https://host/path") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingRefused("the address must start with http:// or https:// and name a host")
    if parts.username or parts.password:
        raise SettingRefused("the address must hold no name or password: the signature proves who sends")
    if not url.isprintable() or " " in url:
        raise SettingRefused("the address holds blanks or control characters")


def _check_mailbox(url: str) -> None:
    """One mailbox: of several, some might refuse what the others have; a list behind one address has them all."""
    if not url.startswith(MAIL) or not is_mailbox(url.removeprefix(MAIL)):
        raise SettingRefused("an e-mail route needs one address such as team@example.org; several people need a list")


@dataclass
class Recent:
    """What a route was sent lately, as far as its terms ask.

    Attributes:
        videos, authors: the highest severity within the terms' windows.
        in_hour: alerts within the last hour.
    """

    videos: dict[str, int] = field(default_factory=dict)
    authors: dict[str, int] = field(default_factory=dict)
    in_hour: int = 0

    def judge(self, terms: Terms, alert: Alert) -> Outcome:
        """What becomes of the next alert; one that is sent is remembered.

        The rate is a promise to the receiver: nothing breaks it. Otherwise a more severe alert than any for this video
        breaks the cooldown of its author as well.
        """
        if not terms.per_hour:
            return Outcome.DIGEST_ONLY
        severity = alert.severity
        known = self.videos.get(alert.video_id, 0)
        if terms.video_window_s and severity <= known:
            return Outcome.SAME_VIDEO
        by_author = self.authors.get(alert.author_id or "", 0)
        if terms.author_window_s and severity <= by_author and not known:
            return Outcome.SAME_AUTHOR
        if self.in_hour >= terms.per_hour:
            return Outcome.OVER_RATE
        self._sent(alert)
        return Outcome.SEND

    def _sent(self, alert: Alert) -> None:
        self.in_hour += 1
        self.videos[alert.video_id] = max(alert.severity, self.videos.get(alert.video_id, 0))
        if alert.author_id:
            self.authors[alert.author_id] = max(alert.severity, self.authors.get(alert.author_id, 0))


@dataclass(frozen=True)
class Held:
    """An alert that was held back, and why."""

    alert: Alert
    outcome: Outcome


class DigestVideo(BaseModel):
    """One video of a digest."""

    video_id: str
    verdict: VerdictKind
    label: str | None
    score: float | None


class Digest(BaseModel):
    """What a route was not sent one by one.

    Attributes:
        videos: those with the highest scores.
    """

    held_back: int
    first_at: AwareDatetime
    last_at: AwareDatetime
    by_verdict: dict[str, int]
    by_label: dict[str, int]
    by_reason: dict[str, int]
    videos: tuple[DigestVideo, ...]


def digest(held: Iterable[Held]) -> Digest:
    """The summary of what was held back; at least one."""
    every = list(held)
    times: list[datetime] = sorted(one.alert.event_time for one in every)
    highest = sorted({one.alert.video_id: one.alert for one in every}.values(), key=lambda alert: -(alert.score or 0.0))
    named = [DigestVideo.model_validate(alert, from_attributes=True) for alert in highest[:DIGEST_VIDEOS]]
    return Digest(
        held_back=len(every),
        first_at=times[0],
        last_at=times[-1],
        by_verdict=Counter(one.alert.verdict.value for one in every),
        by_label=Counter(one.alert.label or "-" for one in every),
        by_reason=Counter(one.outcome.value for one in every),
        videos=tuple(named),
    )
