"""The strip, the notices and the rows of the list as HTML. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from core.events import Verdict
from core.labels import Modality, Mode, VerdictKind
from core.storage.reviews import Decision
from dashboard.alerts import Alert, headline_score
from dashboard.caption import excerpt
from dashboard.charts import sparkline
from dashboard.decision_markup import decision_line
from dashboard.figures import Figure
from dashboard.groups import Group
from dashboard.language import say
from dashboard.markup import Markup, div, join, span, tag, text
from dashboard.notices import Notice
from dashboard.reading import Reading, current_as_of
from dashboard.wording import MODALITIES, NOTHING, SHAPES, VERDICTS, ago, duration, exact, score

SKELETON_ROWS = 6


def strip(figures: Sequence[Figure]) -> Markup:
    """The strip of figures."""
    return div("cw-strip", *(_figure(figure) for figure in figures))


def notice_lines(notices: Sequence[Notice]) -> Markup:
    """What is wrong, one line each."""
    return div("cw-notices", *(_notice(notice) for notice in notices), role="status")


def banner(words: str) -> Markup:
    """What this installation wants every viewer to know."""
    return div("cw-banner", text(words), role="note")


def status(reading: Reading, now: datetime, *, following: bool, held: bool, suspended_s: float = 0.0) -> Markup:
    """Whether the list follows, and how old what it shows is."""
    if reading.live_down_since:
        state = ("cut", say("Not live"))
    elif suspended_s:
        state = ("held", say("Suspended for {time}", time=duration(suspended_s)))
    elif not following:
        state = ("held", say("Stands still"))
    else:
        state = ("held", say("Held while you read")) if held else ("follows", say("Following"))
    as_of = current_as_of(reading.snapshot)
    age = say("updated {ago}", ago=ago(as_of, now)) if as_of else say("no update yet")
    return div("cw-status", span(state[1], f"cw-{state[0]}"), span(age, "cw-quiet"))


def updated(at: datetime | None, now: datetime, zone: tzinfo) -> Markup:
    """When what is shown was read, with the exact instant on hover."""
    if at is None:
        return span(say("no update yet"), "cw-quiet cw-updated")
    words = text(say("updated {ago}", ago=ago(at, now)))
    return tag("time", words, cls="cw-quiet cw-updated", datetime=at.isoformat(), title=exact(at, zone))


def verdict_mark(kind: VerdictKind, *, word: bool = True) -> Markup:
    """Shape, word and colour of a verdict."""
    shape = span(SHAPES[kind], "cw-shape", aria_hidden="true")
    return div(f"cw-mark cw-{kind.value}", shape, span(say(VERDICTS[kind]), "cw-word") if word else text(""))


def when(at: datetime, now: datetime, zone: tzinfo) -> Markup:
    """A relative time, with the exact one on hover."""
    return tag("time", text(ago(at, now)), cls="cw-quiet", datetime=at.isoformat(), title=exact(at, zone))


def card(
    row: Alert,
    now: datetime,
    zone: tzinfo,
    *,
    selected: bool,
    decision: Decision | None = None,
    group: Group | None = None,
) -> Markup:
    """One video in the list, for those grouped with it too; what was decided on this verdict stands at its foot."""
    verdict = row.verdict
    told = [decision_line(decision, now, zone)] if decision else []
    return div(
        "cw-card cw-selected" if selected else "cw-card",
        div(
            "cw-card-head",
            verdict_mark(verdict.verdict),
            headline(verdict),
            _repeats(row.count),
            _grouped(group),
            when(verdict.event_time, now, zone),
        ),
        excerpt(verdict) if verdict.caption else tag("p", text(say("no caption")), cls="cw-excerpt cw-none"),
        div("cw-card-foot", span(byline(verdict), "cw-quiet cw-byline"), div("cw-scores", *modality_scores(verdict))),
        *told,
    )


def headline(verdict: Verdict) -> Markup:
    """The label and how sure the models are of it."""
    if verdict.score is None:
        return span(say("no score"), "cw-quiet")
    name = span(verdict.label, "cw-label") if verdict.label else span(say("highest"), "cw-quiet")
    return div("cw-headline", name, span(score(verdict.score), "cw-number"))


def byline(verdict: Verdict) -> str:
    """Who posted it, where, in which language."""
    author = f"@{verdict.author_id}" if verdict.author_id else say("author unknown")
    return " · ".join(part for part in (author, verdict.platform, verdict.language) if part)


def modality_scores(verdict: Verdict) -> list[Markup]:
    """Each modality that was posted with its score, or the code it is missing with; fusion only where it decided."""
    return [
        _modality(say(MODALITIES[modality]), headline_score(verdict, modality), verdict.modalities[modality].code)
        for modality in MODALITIES
        if modality in verdict.modalities and (modality is not Modality.FUSION or verdict.mode is Mode.FUSION)
    ]


def empty(title: str, body: str, *, command: str = "") -> Markup:
    """A list or pane with nothing in it, and what to do about it."""
    code = tag("code", text(command)) if command else text("")
    return div("cw-empty", span(title, "cw-empty-title"), span(body, "cw-quiet"), code)


def skeleton() -> Markup:
    """The page's shape while the first reading is on its way."""
    rows = [div("cw-card cw-ghost", div("cw-line cw-short"), div("cw-line")) for _ in range(SKELETON_ROWS)]
    figure = div("cw-figure cw-ghost", div("cw-line cw-short"), div("cw-line cw-tall"))
    return div(
        "cw-loading", div("cw-strip", *[figure] * 8), div("cw-list", *rows), aria_label=say("loading"), aria_busy="true"
    )


def legend(meanings: Mapping[VerdictKind, str]) -> Markup:
    """What the five marks mean."""
    rows = [
        div("cw-legend-row", verdict_mark(kind), span(say(meaning), "cw-quiet")) for kind, meaning in meanings.items()
    ]
    return div("cw-legend", *rows)


def processes(reading: Reading, now: datetime) -> Markup:
    """Every process that gives a sign of life, and the stores, with what each says."""
    beats = sorted(reading.snapshot.heartbeats, key=lambda beat: (beat.kind, beat.instance))
    stores = [
        _process("Redis", "ready" if reading.live_down_since is None else "no answer", ""),
        _process(say("database"), "ready" if reading.history_down_since is None else "no answer", ""),
    ]
    alive = [
        _process(f"{beat.kind} {beat.instance}", beat.state, say("seen {ago}", ago=ago(beat.at, now))) for beat in beats
    ]
    return div("cw-processes", *alive, *stores)


def _process(name: str, state: str, note: str) -> Markup:
    tone = {"ready": "up", "no answer": "down"}.get(state, "wait")
    return div(
        f"cw-process cw-{tone}",
        span(name, ""),
        span(say("no answer") if state == "no answer" else state, "cw-state"),
        span(note, "cw-quiet"),
    )


def _figure(figure: Figure) -> Markup:
    shape = span(figure.shape, f"cw-shape cw-{shape_kind(figure)}", aria_hidden="true") if figure.shape else text("")
    name = div("cw-figure-name", shape, span(figure.name, ""))
    value = div("cw-figure-value", span(figure.value, "cw-number"), span(figure.unit, "cw-unit"))
    spark = sparkline(figure.bars, meaning=figure.meaning) if figure.bars else text("")
    cls = f"cw-figure cw-tone-{figure.tone}"
    if not figure.opens:
        return div(cls, name, join(value, spark), title=figure.meaning)
    # Relative: the console may lie below a path of a proxy.
    return tag("a", name, join(value, spark), cls=cls, title=figure.meaning, href=figure.opens, target="_self")


def shape_kind(figure: Figure) -> str:
    """The shape keeps its verdict's colour also where the figure itself is calm."""
    kinds = {shape: kind.value for kind, shape in SHAPES.items()}
    return kinds.get(figure.shape, "")


def _notice(notice: Notice) -> Markup:
    command = tag("code", text(notice.command)) if notice.command else text("")
    icon = span("!", "cw-notice-icon", aria_hidden="true")
    return div(f"cw-notice cw-notice-{notice.tone}", icon, tag("b", text(notice.what)), span(notice.then, ""), command)


def _repeats(count: int) -> Markup:
    return (
        span(f"\u00d7{count}", "cw-count", title=say("{n} verdicts on this video", n=count)) if count > 1 else text("")
    )


def _grouped(group: Group | None) -> Markup:
    if group is None or not group.others:
        return text("")
    number, minutes = len(group.rows), max(1, round(group.span_s / 60))
    if group.author:
        words = say("\u00d7{n} from @{author} in {m} min", n=number, author=group.author, m=minutes)
    else:
        words = say("\u00d7{n} with this caption in {m} min", n=number, m=minutes)
    return span(words, "cw-count cw-group")


def _modality(name: str, value: float | None, code: str | None) -> Markup:
    if value is None:
        return span(say("{name} missing", name=name), "cw-partial cw-missing", title=code or NOTHING)
    return div("cw-modality", span(name, "cw-quiet"), span(score(value), "cw-number"))
