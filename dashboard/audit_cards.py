"""The content audit as HTML: a video in the gallery, what happened to it, what stands where nothing is. Pure."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from core.storage.reviews import Decision
from dashboard.audit_words import FIELDS
from dashboard.cards import empty, verdict_mark, when
from dashboard.data.search_rows import Row, Seen, Story, Version
from dashboard.data.wellness import Veil
from dashboard.evidence import section
from dashboard.language import say
from dashboard.markup import Markup, div, join, span, table, tag, text
from dashboard.still_markup import still_source
from dashboard.wording import ANSWERS, NOTHING, OUTCOMES, REASONS, SHAPES, VERDICTS, exact, score


def tile(row: Row, now: datetime, zone: tzinfo, *, selected: bool, stills: Veil | None) -> Markup:
    """One video in the gallery; its still is blurred so, or not there at all."""
    author = f"@{row.author_id}" if row.author_id else say("author unknown")
    byline = " · ".join(part for part in (author, row.language, row.source) if part)
    label = span(row.label, "cw-label") if row.label else text("")
    return div(
        "cw-tile cw-selected" if selected else "cw-tile",
        _picture(row, stills) if stills is not None else text(""),
        div("cw-tile-head", verdict_mark(row.verdict), label, span(score(row.score), "cw-number")),
        tag(
            "p",
            text(row.caption or say("no caption")),
            cls="cw-excerpt" if row.caption else "cw-excerpt cw-none",
            dir="auto",
        ),
        div("cw-tile-foot", span(byline, "cw-quiet cw-byline"), when(row.event_time, now, zone)),
    )


def story(told: Story, zone: tzinfo) -> Markup:
    """Verdicts, decisions and records of one video."""
    versions = table(
        [say("Decided"), say("Verdict"), say("Label"), say("Score"), say("Model version"), say("Policy")],
        [_version(version, zone) for version in told.versions],
    )
    decisions = table(
        [say("When"), say("Who"), say("Decision"), say("Labels"), say("Reason")],
        [_decision(decision, zone) for decision in told.decisions],
    )
    sightings = table(
        [say("Received"), say("Record"), say("Verdict id")], [_sighting(seen, zone) for seen in told.sightings]
    )
    return join(
        section(say("Verdicts, the newest first"), versions if told.versions else _none(say("none kept"))),
        section(say("Decisions"), decisions if told.decisions else _none(say("nobody has decided on it"))),
        section(say("Records read"), sightings if told.sightings else _none(say("none kept"))),
    )


def nothing_matches(fields: Sequence[str], blocking: Sequence[str]) -> Markup:
    """An answer without a row: which filter is to blame."""
    if blocking:
        names = ", ".join(say(FIELDS[field]) for field in blocking)
        return empty(say("No video matches"), say("There are some without this filter: {names}", names=names))
    if len(fields) > 1:
        return empty(say("No video matches"), say("No single filter is to blame: clear more than one."))
    return empty(say("No video matches"), say("Nothing of the kind is kept here."))


def first_start() -> Markup:
    """Before any video came."""
    return empty(
        say("No video yet"),
        say("Every video that gets a verdict can be found here. Begin with one:"),
        command="clipwarden produce clip.mp4",
    )


def _picture(row: Row, veil: Veil) -> Markup:
    # A background that does not load shows nothing, and leaves in sight what stands behind it.
    behind = span(say("no picture") if row.has_video else say("text only"), "cw-quiet")
    if not row.has_video:
        return div("cw-tile-still", behind)
    source = still_source(row.video_id, row.verdict_id, veil)
    return div("cw-tile-still", behind, div("cw-tile-picture", style=f"background-image:url('{source}')"))


def _version(version: Version, zone: tzinfo) -> list[str]:
    kind = f"{SHAPES[version.verdict]} {say(VERDICTS[version.verdict])}"
    decided = exact(version.decided_at, zone)
    return [
        *(decided, kind, version.label or NOTHING, score(version.score)),
        *(version.model_version, version.policy_version),
    ]


def _decision(decision: Decision, zone: tzinfo) -> list[str]:
    said = say(OUTCOMES[decision.outcome])
    what = say("{decision}, undone", decision=said) if decision.undone_at else said
    answers = ", ".join(f"{label}: {say(ANSWERS[answer])}" for label, answer in sorted(decision.answers.items()))
    why = ": ".join(part for part in (say(REASONS[decision.reason]) if decision.reason else "", decision.note) if part)
    return [exact(decision.decided_at, zone), decision.reviewer_name, what, answers or NOTHING, why]


def _sighting(seen: Seen, zone: tzinfo) -> list[str]:
    record = f"{seen.topic} / {seen.partition} / {seen.offset}"
    if seen.replay_of:
        record = say("{record}, replay of {original}", record=record, original=seen.replay_of)
    return [exact(seen.event_time, zone), record, seen.verdict_id]


def _none(words: str) -> Markup:
    return span(words, "cw-quiet")
