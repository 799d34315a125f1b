"""Why: one verdict's evidence as HTML, the reason first, the ids last. Pure."""

from datetime import datetime, tzinfo

from core.events import Segment, Verdict
from core.labels import Modality, Mode, VerdictKind
from dashboard.alerts import headline_score
from dashboard.cards import byline, headline, verdict_mark, when
from dashboard.charts import heat_strip, score_bar, worst_segment
from dashboard.language import say
from dashboard.markup import Markup, div, join, span, table, tag, text
from dashboard.wording import MODALITIES, NOTHING, clock_time, code_meaning, exact, score

DECISIVE_GAP = 0.25
"""A modality this far above the others is said to decide."""


def heading(verdict: Verdict, now: datetime, zone: tzinfo) -> Markup:
    """Verdict, label, score, when, who."""
    posted = when(verdict.event_time, now, zone)
    line = div("cw-card-head", verdict_mark(verdict.verdict), headline(verdict), posted)
    return div("cw-alert-head", line, span(byline(verdict), "cw-quiet"))


def reasons(verdict: Verdict) -> Markup:
    """The why line, and one line for each modality that is missing."""
    return div("cw-why", span(why(verdict), "cw-why-line"), *(_missing(*lost) for lost in missing(verdict)))


def why(verdict: Verdict) -> str:
    """Which scores carry the verdict, in a few words."""
    said = {modality: value for modality in MODALITIES if (value := headline_score(verdict, modality)) is not None}
    if not said or verdict.mode is Mode.NONE:
        return say("no score: nothing of the post could be scored")
    if verdict.verdict in {VerdictKind.SAFE, VerdictKind.PARTIAL}:
        return say("{scores}: under every threshold", scores=_listed(said))
    said.pop(Modality.FUSION, None)
    if verdict.mode is Mode.FUSION:
        return say("fusion decides ({scores})", scores=_listed(said)) if said else say("fusion decides")
    return _carried_by(said)


def missing(verdict: Verdict) -> list[tuple[Modality, str]]:
    """The modalities that were posted and could not be scored, with their codes."""
    return [(modality, result.code) for modality, result in verdict.modalities.items() if result.code is not None]


def label_bars(verdict: Verdict) -> Markup:
    """Every label's combined score, the highest first."""
    ordered = sorted(verdict.label_scores.items(), key=lambda item: (-item[1], item[0]))
    return div("cw-bars", *(score_bar(name, value, leads=name == verdict.label) for name, value in ordered))


def modality_table(verdict: Verdict) -> Markup:
    """What each modality said of each label."""
    results = {modality: verdict.modalities[modality] for modality in MODALITIES if modality in verdict.modalities}
    labels = sorted({label for result in results.values() for label in result.scores or {}})
    rows = []
    for modality, result in results.items():
        scores = result.scores or {}
        cells = [score(scores.get(label)) for label in labels] if scores else [NOTHING] * len(labels)
        rows.append([say(MODALITIES[modality]), *cells])
    return table(["", *labels], rows, numbers=True)


def signal_table(verdict: Verdict) -> Markup:
    """The rules that fired, with the words that fired them."""
    rows = [
        [signal.text, signal.rule, signal.label, f"{signal.start}-{signal.end}" if signal.end else say("hashtag")]
        for signal in verdict.signals
    ]
    return table([say("words"), say("rule"), say("label"), say("characters")], rows)


def segment_strip(verdict: Verdict) -> Markup:
    """Where in the video it is."""
    segments = sorted(verdict.segments, key=lambda segment: segment.start_s)
    return heat_strip(segments, says=_stretch, worst_is=say("worst {stretch}", stretch="{stretch}"))


def facts(verdict: Verdict, zone: tzinfo) -> Markup:
    """Versions, times, ids: what an engineer asks for."""
    record = verdict.record
    pairs = [
        (say("model"), verdict.model_version),
        (say("policy"), verdict.policy_version),
        (say("decided by"), verdict.mode.value.replace("_", " ")),
        (say("video"), verdict.video_id),
        (say("verdict"), verdict.verdict_id),
        (say("source"), verdict.source),
        (say("hashtags"), " ".join(f"#{tag_name}" for tag_name in verdict.hashtags) or NOTHING),
        (say("posted"), exact(verdict.posted_at, zone)),
        (say("received"), exact(verdict.event_time, zone)),
        (say("decided"), exact(verdict.decided_at, zone)),
        (say("took"), _timings(verdict)),
        (say("media"), verdict.media_uri or say("text only")),
        (say("record"), f"{record.topic} / {record.partition} / {record.offset}"),
        (say("replay of"), verdict.replay_of or ""),
    ]
    rows = [join(tag("dt", text(name)), tag("dd", text(value), dir="auto")) for name, value in pairs if value]
    return tag("dl", *rows, cls="cw-facts")


def worst_moment(verdict: Verdict) -> float:
    """Seconds into the video where its worst stretch begins; 0 without segments."""
    worst = worst_segment(verdict.segments)
    return worst.start_s if worst else 0.0


def section(title: str, body: Markup) -> Markup:
    """One titled part of the pane."""
    return div("cw-section", tag("h3", text(title)), body)


def no_player(reason: str) -> Markup:
    """What stands where the player would."""
    return div("cw-no-player", span(reason, "cw-quiet"))


def _carried_by(said: dict[Modality, float]) -> str:
    (first, top), *rest = sorted(said.items(), key=lambda item: -item[1])
    if not rest:
        return say("{one} alone decides ({score})", one=say(MODALITIES[first]), score=score(top))
    (second, low) = rest[0]
    if top - low >= DECISIVE_GAP:
        other = f"{say(MODALITIES[second])} {score(low)}"
        return say("{one} alone decides ({score})", one=say(MODALITIES[first]), score=other)
    names = {"one": say(MODALITIES[first]), "other": say(MODALITIES[second])}
    return say("{one} and {other} agree ({scores})", **names, scores=_listed(said))


def _listed(said: dict[Modality, float]) -> str:
    return ", ".join(f"{say(MODALITIES[modality])} {score(value)}" for modality, value in said.items())


def _missing(modality: Modality, code: str) -> Markup:
    meaning = code_meaning(code)
    what = say("{name} score missing: {code}", name=say(MODALITIES[modality]), code=code)
    return div("cw-why-missing cw-partial", span(what, ""), span(meaning, "cw-quiet"))


def _timings(verdict: Verdict) -> str:
    return ", ".join(f"{name} {took_ms:.0f} ms" for name, took_ms in verdict.timings_ms.items())


def _stretch(segment: Segment) -> str:
    times = {"start": clock_time(segment.start_s), "end": clock_time(segment.end_s)}
    return say("{start} to {end}: {score}", **times, score=score(segment.score))
