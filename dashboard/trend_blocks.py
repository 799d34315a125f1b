"""Analytics' blocks over time and over scores: a question, its answer as a chart, and what it is of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, TypeVar

import streamlit as st

from core.access import Person
from core.errors import StoreUnavailable
from core.labels import VerdictKind
from dashboard import trend_charts as charts
from dashboard import trend_filters
from dashboard import trend_shapes as shapes
from dashboard.cards import empty
from dashboard.data.trends import Trends
from dashboard.frame import draw
from dashboard.language import say
from dashboard.markup import div, span, tag, text
from dashboard.period import Choice, Window
from dashboard.trend_charts import Axes, Palette, Series
from dashboard.trend_queries import Question, ask
from dashboard.trend_rows import Histogram, Pair, Point, Wait
from dashboard.wording import SHAPES, count, exact

T = TypeVar("T")


@dataclass(frozen=True)
class Look:
    """Who looks at what, and in which theme."""

    person: Person
    choice: Choice
    window: Window
    now: datetime
    zone: tzinfo
    palette: Palette

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The axis of time."""
        return self.window.start, self.window.end


def block(look: Look, key: str, title: str, *, question: Question[T], show: Callable[[Look, T], None]) -> None:
    """One framed block; without an answer it says so, and never looks as if there were no data."""
    with st.container(key=f"trend-block-{key}", gap="small"):
        try:
            known = ask(look.person, question, look.choice, look.window)
        except StoreUnavailable:
            head(title, "")
            draw(empty(say("Not known now"), say("The database does not answer. This block fills by itself.")))
            return
        head(title, say("as of {at}", at=exact(known.at, look.zone)) if known.down_since else "")
        show(replace(look, window=known.value.window), known.value.value)


def head(title: str, note: str) -> None:
    """A block's title, and under it what it is of."""
    draw(div("cw-block-head", tag("h3", text(title)), span(note, "cw-quiet")))


def nothing(words: str) -> None:
    """A block without data in this period."""
    draw(div("cw-empty", span(words, "cw-quiet")))


def verdicts(look: Look) -> None:
    """Verdicts over time: what was flagged, everything, or flagged by label."""
    block(look, "series", say("Verdicts over time"), question=Trends.series, show=_verdicts)


def rate(look: Look) -> None:
    """The harmful rate over time."""
    block(look, "rate", say("Harmful rate"), question=Trends.series, show=_rate)


def scores(look: Look) -> None:
    """How scores are spread, against the thresholds."""
    block(look, "scores", say("Scores against the thresholds"), question=Trends.scores, show=_scores)


def pairs(look: Look) -> None:
    """Text against video."""
    block(look, "pairs", say("Text score against video score"), question=Trends.pairs, show=_pairs)


def waits(look: Look) -> None:
    """How long alerts take."""
    block(look, "waits", say("Alerts: posted to verdict"), question=Trends.waits, show=_waits)


def names(kinds: Sequence[VerdictKind]) -> dict[VerdictKind, str]:
    """Kinds of verdicts as legends name them: shape and word."""
    words = {
        VerdictKind.HARMFUL: say("harmful"),
        VerdictKind.REVIEW: say("review"),
        VerdictKind.PARTIAL: say("partial"),
        VerdictKind.UNSCORED: say("unscored"),
        VerdictKind.SAFE: say("safe"),
    }
    return {kind: f"{SHAPES[kind]} {words[kind]}" for kind in kinds}


def _verdicts(look: Look, points: tuple[Point, ...]) -> None:
    views = {"flagged": say("Flagged"), "every": say("All"), "label": say("By label")}
    view = trend_filters.view(views)
    if view == "label":
        other = say("other labels")
        found = shapes.label_names(points, other)
        rows = shapes.label_rows(points, look.window, found, other)
        series = Series(found, look.palette.shades[: len(found)])
    else:
        named = names(shapes.EVERY if view == "every" else shapes.FLAGGED)
        rows = shapes.verdict_rows(points, look.window, named)
        series = _verdict_series(look, named)
    if not rows:
        nothing(say("No such verdict in this period."))
        return
    axes = Axes(say("time"), say("videos per {step}", step=_step(look)))
    _chart(charts.stacked(rows, series, axes, palette=look.palette, span=look.span), say("Verdicts over time"))
    _sample(sum(row["videos"] for row in rows))


def _rate(look: Look, points: tuple[Point, ...]) -> None:
    rows = shapes.rate_rows(points, look.window)
    if not any(row["n"] for row in rows):
        nothing(say("No video in this period."))
        return
    axes = Axes(say("time"), say("harmful, % of videos"))
    colour = look.palette.verdicts[VerdictKind.HARMFUL]
    _chart(charts.rates(rows, axes, colour=colour, span=look.span), say("Harmful rate"))
    _sample(sum(row["n"] for row in rows), say("bars: 95 % Wilson interval"))


def _scores(look: Look, found: Histogram) -> None:
    named = names(shapes.EVERY)
    rows = shapes.bin_rows(found.bins, named)
    if not rows:
        nothing(say("No score in this period."))
        return
    lines = shapes.threshold_rows(found, look.window.label, harmful=say("harmful from"), review=say("review from"))
    axes = Axes(say("score (probability)"), say("videos per 0.05"))
    _chart(charts.histogram(rows, lines, _verdict_series(look, named), axes, palette=look.palette), say("Scores"))
    notes = (
        [say("thresholds of {policy}", policy=found.policy.version)] if found.policy else [say("thresholds unknown")]
    )
    if found.policies > 1:
        notes.append(say("{n} policies in this period, the last one drawn", n=found.policies))
    _sample(sum(row["videos"] for row in rows), *notes)


def _pairs(look: Look, found: tuple[Pair, ...]) -> None:
    if not found:
        nothing(say("No video with both scores in this period."))
        return
    named = names(shapes.EVERY)
    rows = [{"text": pair.text, "video": pair.video, "name": named[pair.verdict]} for pair in found]
    axes = Axes(say("text score"), say("video score"))
    marks = [charts.SHAPES[kind] for kind in named]
    _chart(charts.scatter(rows, _verdict_series(look, named), marks, axes), say("Text score against video score"))
    _sample(len(rows), say("an even sample of videos with both scores"))


def _waits(look: Look, found: tuple[Wait, ...]) -> None:
    if not found:
        nothing(say("No alert in this period."))
        return
    palette, kinds = look.palette, list(shapes.PERCENTILES)
    series = Series(kinds, (palette.quiet, palette.text, palette.verdicts[VerdictKind.HARMFUL]))
    axes = Axes(say("time"), say("posted to verdict, s"))
    chart = charts.waits(shapes.wait_rows(found, look.window), series, axes, span=look.span)
    _chart(chart, say("Alerts: posted to verdict"))
    until = say("from the event's record to the verdict; the live monitor has it a little later; replays left out")
    _sample(sum(wait.alerts for wait in found), until)


def _verdict_series(look: Look, named: dict[VerdictKind, str]) -> Series:
    return Series(list(named.values()), [look.palette.verdicts[kind] for kind in named])


def _chart(chart: Any, meaning: str) -> None:  # noqa: ANN401 - Altair's charts share no public type
    st.altair_chart(chart, width="stretch", alt=meaning)


def _sample(number: int, *notes: str) -> None:
    draw(span(" · ".join([f"n = {count(number)}", *notes]), "cw-quiet"))


def _step(look: Look) -> str:
    minutes = int(look.window.step.total_seconds() // 60)
    if minutes < 60:  # noqa: PLR2004 - of an hour
        return say("{n} min", n=minutes)
    return say("{n} h", n=minutes // 60) if minutes < 24 * 60 else say("day")
