"""One delivery → what people read of it: words of ours with values put in, in the route's language. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.labels import Action
from core.routing import Alert, Digest, Tongue
from core.routing_event import AlertRouted
from operations.routing.carrier import console_link, video_link
from operations.routing.vietnamese import WORDS

VALUE_CHARS = 300
"""Of a caption, or of any other value, as many are shown."""
MARKS = {Action.ALERT: "▲", Action.REVIEW: "◆", Action.NONE: "○"}


@dataclass(frozen=True)
class Line:
    """One line of a letter.

    Attributes:
        words: ours, with a place for each value.
        values: data of others; one line each, whatever they hold.
        link: where the line leads; empty: nowhere.
    """

    words: str
    values: Mapping[str, str] = field(default_factory=dict)
    link: str = ""


@dataclass(frozen=True)
class Letter:
    """What one delivery says to a person."""

    title: Line
    lines: tuple[Line, ...]


def letter(event: AlertRouted, tongue: Tongue, console_url: str) -> Letter:
    """What the delivery says."""
    if event.alert is not None:
        return Letter(_title(event.alert, tongue), tuple(_alert(event.alert, event, tongue)))
    if event.digest is not None:
        return Letter(_summary(event.digest, tongue), tuple(_digest(event.digest, tongue, console_url)))
    opened = _line(tongue, "Whoever reads this gets what the route is sent.", console_link(console_url))
    return Letter(_line(tongue, "A test of this route"), (opened,))


def _title(alert: Alert, tongue: Tongue) -> Line:
    is_alert = alert.action is Action.ALERT
    words = "Alert: {verdict}, {label} {score}" if is_alert else "Review: {verdict}, {label} {score}"
    found = _line(tongue, words, **_verdict(alert.verdict.value, alert.label, alert.score, tongue=tongue))
    return Line(f"{MARKS[alert.action]} {found.words}", found.values)


def _alert(alert: Alert, event: AlertRouted, tongue: Tongue) -> Iterator[Line]:
    yield _line(tongue, "Video {video} on {platform}", event.link, video=alert.video_id, platform=alert.platform)
    if alert.author_id:
        yield _line(tongue, "By {author}", author=alert.author_id)
    if event.caption:
        yield _line(tongue, "Caption: {caption}", caption=event.caption)
    times = {"posted": _at(alert.event_time), "decided": _at(alert.decided_at)}
    yield _line(tongue, "Posted {posted}, decided {decided}", **times)
    yield _line(tongue, "Model {model}, policy {policy}", model=alert.model_version, policy=alert.policy_version)


def _summary(digest: Digest, tongue: Tongue) -> Line:
    times = {"first": _at(digest.first_at), "last": _at(digest.last_at)}
    return _line(tongue, "{n} gathered, posted {first} to {last}", n=f"{digest.held_back:,}", **times)


def _digest(digest: Digest, tongue: Tongue, console_url: str) -> Iterator[Line]:
    verdicts = {say(tongue, name): n for name, n in digest.by_verdict.items()}
    reasons = {say(tongue, name): n for name, n in digest.by_reason.items()}
    yield _line(tongue, "Verdicts: {counts}", counts=_counts(verdicts))
    yield _line(tongue, "Labels: {counts}", counts=_counts(digest.by_label))
    yield _line(tongue, "Why not one by one: {counts}", counts=_counts(reasons))
    yield _line(tongue, "Those with the highest scores:")
    for video in digest.videos:
        said = _verdict(video.verdict.value, video.label, video.score, tongue=tongue)
        link = video_link(console_url, video.video_id)
        yield _line(tongue, "{verdict}, {label} {score}: {video}", link, video=video.video_id, **said)
    yield _line(tongue, "All of them:", console_link(console_url))


def _verdict(verdict: str, label: str | None, score: float | None, *, tongue: Tongue) -> dict[str, str]:
    return {
        "verdict": say(tongue, verdict),
        "label": label or "-",
        "score": "-" if score is None else f"{score:.2f}",
    }


def _line(tongue: Tongue, words: str, link: str = "", /, **values: str) -> Line:
    return Line(say(tongue, words), {name: _one_line(value) for name, value in values.items()}, link)


def say(tongue: Tongue, words: str) -> str:
    """Words of ours in the route's language."""
    return WORDS.get(words, words) if tongue is Tongue.VIETNAMESE else words.replace("_", " ")


def _one_line(value: str) -> str:
    """Without what could pass for a line, a heading or a direction of ours."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in value).split())
    return plain if len(plain) <= VALUE_CHARS else f"{plain[: VALUE_CHARS - 1]}…"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items(), key=lambda one: -one[1]))


def _at(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
