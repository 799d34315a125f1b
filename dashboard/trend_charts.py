"""Counts over time → charts in the theme's colours, drawn by Streamlit's own Vega: no script, no request. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import altair as alt

from core.labels import VerdictKind

HEIGHT_PX = 260
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Palette:
    """The tokens of one theme, as the stylesheet has them."""

    text: str
    quiet: str
    surface: str
    verdicts: Mapping[VerdictKind, str]
    shades: tuple[str, ...]
    """One hue from dark to pale: labels differ in lightness, which also grey print shows."""


LIGHT = Palette(
    "#0F172A",
    "#556277",
    "#FFFFFF",
    dict(zip(VerdictKind, ("#B91C1C", "#9F4A08", "#136C34", "#6D28D9", "#475569"), strict=True)),
    ("#7F1D1D", "#B91C1C", "#E06666", "#F0A8A8", "#F8D6D6"),
)
DARK = Palette(
    "#E5E7EB",
    "#94A3B8",
    "#111827",
    dict(zip(VerdictKind, ("#F87171", "#FBBF24", "#4ADE80", "#A78BFA", "#94A3B8"), strict=True)),
    ("#FCA5A5", "#F87171", "#C24141", "#8B2C2C", "#5B2020"),
)
SHAPES = {
    VerdictKind.HARMFUL: "triangle-up",
    VerdictKind.REVIEW: "diamond",
    VerdictKind.PARTIAL: "cross",
    VerdictKind.UNSCORED: "square",
    VerdictKind.SAFE: "circle",
}


@dataclass(frozen=True)
class Axes:
    """What the axes are called, with their units."""

    x: str
    y: str


@dataclass(frozen=True)
class Series:
    """The things a chart tells apart, in order, each with its colour; names are shown as they are."""

    names: Sequence[str]
    colours: Sequence[str]


def stacked(
    rows: Sequence[Row], series: Series, axes: Axes, *, palette: Palette, span: tuple[datetime, datetime]
) -> Any:  # noqa: ANN401 - Altair's charts share no public type
    """Bars per step from a common floor; a step without videos is empty.

    Rows: `at` and `until`, `name`, `videos`, and where its bar lies: from `base` to `top`.
    `span` is the whole period, so that what is missing shows as missing.
    """
    return _sized(
        _chart(rows)
        .mark_rect(stroke=palette.surface, strokeWidth=0.5)
        .encode(
            x=_time(axes.x, span),
            x2="until:T",
            y=alt.Y("base:Q", title=axes.y, axis=_axis(format="~s")),
            y2="top:Q",
            color=_colour(series),
            tooltip=["name:N", alt.Tooltip("at:T", title=axes.x, format="%d %b %H:%M"), "videos:Q"],
        )
    )


def rates(rows: Sequence[Row], axes: Axes, *, colour: str, span: tuple[datetime, datetime]) -> Any:  # noqa: ANN401 - see above
    """A share per step with its interval; the line breaks where there is none.

    Rows: `at`, `rate`, `low`, `high` in percent or None, `n`.
    """
    base = _chart(rows).encode(x="at:T")
    tooltip = [alt.Tooltip("at:T", title=axes.x, format="%d %b %H:%M"), "rate:Q", "low:Q", "high:Q", "n:Q"]
    interval = base.mark_rule(color=colour, opacity=0.35, strokeWidth=4).encode(
        x=_time(axes.x, span), y=alt.Y("low:Q", title=axes.y, axis=_axis()), y2="high:Q"
    )
    line = base.mark_line(color=colour, strokeWidth=1.5).encode(y="rate:Q")
    points = base.mark_point(color=colour, filled=True, shape="triangle-up", size=36).encode(
        y="rate:Q", tooltip=tooltip
    )
    return _sized(interval + line + points)


def histogram(rows: Sequence[Row], lines: Sequence[Row], series: Series, axes: Axes, *, palette: Palette) -> Any:  # noqa: ANN401 - see above
    """Scores in twentieths, with thresholds as labelled lines.

    Rows: `low` and `high` of the bin, `name`, `videos`, and where its bar lies: from `base` to `top`.
    Lines: `score`, `words`, `is_dashed`.
    """
    score = alt.X("low:Q", title=axes.x, scale=alt.Scale(domain=[0, 1]), axis=_axis(format=".1f"))
    bars = (
        _chart(rows)
        .mark_rect(stroke=palette.surface, strokeWidth=0.5)
        .encode(
            x=score,
            x2="high:Q",
            y=alt.Y("base:Q", title=axes.y, axis=_axis(format="~s")),
            y2="top:Q",
            color=_colour(series),
            tooltip=["name:N", "low:Q", "high:Q", "videos:Q"],
        )
    )
    if not lines:
        return _sized(bars)
    at = _chart(lines).encode(x=alt.X("score:Q"))
    dash = alt.StrokeDash("is_dashed:N", scale=alt.Scale(domain=[False, True], range=[[1, 0], [4, 3]]), legend=None)
    rule = at.mark_rule(color=palette.text, strokeWidth=1.5).encode(strokeDash=dash)
    words = at.mark_text(color=palette.text, align="left", dx=4, dy=8, baseline="top", fontSize=11).encode(
        text="words:N", y=alt.value(0), yOffset=alt.YOffset("place:Q", scale=None)
    )
    return _sized(bars + rule + words)


def scatter(rows: Sequence[Row], series: Series, shapes: Sequence[str], axes: Axes) -> Any:  # noqa: ANN401 - see above
    """One mark per video.

    Rows: `text` and `video` scores, `name`.
        shapes: of the series, in its order.
    """
    scale = alt.Scale(domain=[0, 1])
    shape = alt.Shape("name:N", scale=alt.Scale(domain=list(series.names), range=list(shapes)), legend=_legend())
    return _sized(
        _chart(rows)
        .mark_point(filled=True, size=36, opacity=0.7)
        .encode(
            x=alt.X("text:Q", title=axes.x, scale=scale, axis=_axis(format=".1f")),
            y=alt.Y("video:Q", title=axes.y, scale=scale, axis=_axis(format=".1f")),
            color=_colour(series),
            shape=shape,
            tooltip=["name:N", alt.Tooltip("text:Q", format=".2f"), alt.Tooltip("video:Q", format=".2f")],
        )
    )


def waits(rows: Sequence[Row], series: Series, axes: Axes, *, span: tuple[datetime, datetime]) -> Any:  # noqa: ANN401 - see above
    """Percentiles over time, told apart by dash and mark; a line breaks where no alert came.

    Rows: `at`, `name`, `seconds` or None, `n`.
    """
    names = list(series.names)
    dash = alt.StrokeDash("name:N", scale=alt.Scale(domain=names, range=[[1, 0], [6, 3], [2, 2]]), legend=_legend())
    shape = alt.Shape("name:N", scale=alt.Scale(domain=names, range=["circle", "square", "triangle-up"]), legend=None)
    base = _chart(rows).encode(x="at:T", y=alt.Y("seconds:Q", title=axes.y, axis=_axis()), color=_colour(series))
    tooltip = [
        "name:N",
        alt.Tooltip("at:T", title=axes.x, format="%d %b %H:%M"),
        alt.Tooltip("seconds:Q", format=".2f"),
    ]
    line = base.mark_line(strokeWidth=1.5).encode(x=_time(axes.x, span), strokeDash=dash)
    points = base.mark_point(filled=True, size=28).encode(shape=shape, tooltip=[*tooltip, "n:Q"])
    return _sized(line + points)


def _chart(rows: Sequence[Row]) -> alt.Chart:
    # A field's name is ours; its values are data, which Vega draws as text and nothing else.
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))


def _sized(chart: Any) -> Any:  # noqa: ANN401 - a chart or a layer of some
    return chart.properties(height=HEIGHT_PX, width="container").configure(background="transparent")


def _time(title: str, span: tuple[datetime, datetime]) -> alt.X:
    ends = [alt.DateTime(**_utc_parts(at)) for at in span]
    return alt.X("at:T", title=title, scale=alt.Scale(domain=ends), axis=_axis(labelOverlap=True))


def _utc_parts(at: datetime) -> dict[str, Any]:
    utc = at.astimezone(UTC)
    days = {"year": utc.year, "month": utc.month, "date": utc.day}
    return {**days, "hours": utc.hour, "minutes": utc.minute, "utc": True}


def _axis(**more: Any) -> alt.Axis:  # noqa: ANN401 - Altair's own keywords
    return alt.Axis(tickCount=5, titleFontSize=12, labelFontSize=11, titleFontWeight="normal", **more)


def _colour(series: Series) -> alt.Color:
    scale = alt.Scale(domain=list(series.names), range=list(series.colours))
    return alt.Color("name:N", scale=scale, legend=_legend())


def _legend() -> alt.Legend:
    return alt.Legend(title=None, orient="top", columns=3, labelFontSize=12, symbolSize=80)
