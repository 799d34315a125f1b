"""Totals, ranked names and model versions as HTML, shares with their intervals drawn. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from dashboard.markup import Markup, div, span, table, tag, text
from dashboard.numbers import NOTHING, count, score
from dashboard.statistics import Rate, mean, percentile, wilson
from dashboard.trend_rows import Challenge, ModelRow, Tally

WAITED = {"p50": 0.50, "p95": 0.95}
"""Which percentiles of its waits stand beside a model version."""


@dataclass(frozen=True)
class TotalFigure:
    """One figure, what it was, and in one sentence what it means."""

    name: str
    value: str
    detail: str
    change: str
    meaning: str


def totals_strip(figures: Sequence[TotalFigure]) -> Markup:
    """The figures in a row; in pairs on a telephone."""
    return div("cw-strip cw-totals", *(_figure(figure) for figure in figures))


def percent(value: float) -> str:
    """A share, with more digits the smaller it is."""
    return f"{100 * value:.1f} %" if value < 0.1 else f"{100 * value:.0f} %"  # noqa: PLR2004 - below ten percent a tenth is worth reading


def interval(rate: Rate) -> str:
    """The interval's bounds."""
    return f"{100 * rate.low:.1f}\u2013{100 * rate.high:.1f} %"


def ranked(
    tallies: Sequence[Tally], parameter: str, *, sign: str, of: str, also: Mapping[str, str] | None = None
) -> Markup:
    """Names with their harmful rate, its interval drawn on one scale for all; each leads to its videos.

    `parameter` is the content audit's, and so are those of `also`; `sign` stands before the name; `of` joins the
    numbers, in the viewer's words.
    """
    rates = [(tally, rate) for tally in tallies if (rate := wilson(tally.harmful, tally.videos))]
    within = also or {}
    return div(
        "cw-ranked",
        *(_ranked(tally, rate, _audit({parameter: tally.name, **within}), sign=sign, of=of) for tally, rate in rates),
    )


def seconds(value: float | None) -> str:
    """A wait, with as many digits as a step of 10 % can tell."""
    if value is None:
        return NOTHING
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"  # noqa: PLR2004 - below ten a tenth is worth reading


def models_table(rows: Sequence[ModelRow], heads: Sequence[str]) -> Markup:
    """Versions side by side."""
    return _wide(heads, [_model(row) for row in rows])


def challenges_table(rows: Sequence[Challenge], heads: Sequence[str]) -> Markup:
    """Challengers beside champions."""
    return _wide(heads, [_challenge(row) for row in rows])


def _figure(figure: TotalFigure) -> Markup:
    return div(
        "cw-figure",
        div("cw-figure-name", text(figure.name)),
        div("cw-figure-value", span(figure.value, "cw-number"), span(figure.detail, "cw-unit")),
        span(figure.change, "cw-quiet cw-number"),
        title=figure.meaning,
    )


def _audit(query: Mapping[str, str]) -> str:
    # Relative: the console may lie below a path of a proxy. Quoted as a whole: a name is data, also in an address.
    return f"audit?{urlencode(query, safe='', quote_via=quote)}"


def _ranked(tally: Tally, rate: Rate, address: str, *, sign: str, of: str) -> Markup:
    numbers = f"{count(tally.harmful)} {of} {count(tally.videos)}"
    return div(
        "cw-ranked-row",
        tag("a", text(f"{sign}{tally.name}"), cls="cw-ranked-name", href=address, target="_self", title=tally.name),
        _track(rate),
        span(percent(rate.value), "cw-number"),
        span(numbers, "cw-quiet cw-number"),
        title=interval(rate),
    )


def _track(rate: Rate) -> Markup:
    band = f"left:{100 * rate.low:.2f}%;width:{100 * (rate.high - rate.low):.2f}%"
    return div(
        "cw-interval",
        div("cw-interval-band", style=band),
        div("cw-interval-point", style=f"left:{100 * rate.value:.2f}%"),
        role="img",
        aria_label=f"{percent(rate.value)} ({interval(rate)})",
    )


def _model(row: ModelRow) -> Sequence[str]:
    rate, risk = wilson(row.harmful, row.videos), mean(row.score_sum, row.scored)
    share = (percent(rate.value), interval(rate)) if rate else (NOTHING, NOTHING)
    alerts = sum(number for _, number in row.waits)
    return (row.version, count(row.videos), *share, score(risk), count(alerts), *map(seconds, _waited(row)))


def _waited(row: ModelRow) -> Sequence[float | None]:
    return [percentile(row.waits, share) for share in WAITED.values()]


def _challenge(row: Challenge) -> Sequence[str]:
    rate = wilson(row.disagree, row.sampled)
    share = (percent(rate.value), interval(rate)) if rate else (NOTHING, NOTHING)
    return (f"{row.challenger} / {row.champion}", count(row.sampled), *share, score(row.mean_difference))


def _wide(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    return div("cw-wide", table(heads, rows, numbers=True))
