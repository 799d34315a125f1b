"""Numbers → small charts of plain boxes: sharp at any size, in the theme's colours, readable without a script. Pure."""

from collections.abc import Callable, Sequence

from core.events import Segment
from dashboard.markup import Markup, div, span, tag
from dashboard.numbers import clock_time, score

HEAT_STEPS = 5


def sparkline(heights: Sequence[float], *, meaning: str) -> Markup:
    """Bars from a common floor, the highest filling the height."""
    top = max(heights, default=0.0) or 1.0
    bars = [tag("i", style=f"height:{max(4.0, 100 * height / top):.0f}%") for height in heights]
    return div("cw-spark", *bars, role="img", aria_label=meaning)


def score_bar(name: str, value: float, *, leads: bool) -> Markup:
    """A label's probability on a scale from 0 to 1."""
    fill = div("cw-bar-fill", style=f"width:{100 * min(max(value, 0.0), 1.0):.1f}%")
    return div(
        "cw-bar cw-bar-leads" if leads else "cw-bar",
        span(name, "cw-bar-name"),
        div("cw-bar-track", fill),
        span(score(value), "cw-number"),
    )


def heat_strip(segments: Sequence[Segment], *, says: Callable[[Segment], str], worst_is: str) -> Markup:
    """The video from left to right, the darker the more harmful; the worst stretch is marked, times stand below.

    The words of `says` and `worst_is` are in the viewer's language.
    """
    worst = worst_segment(segments)
    cells = [_cell(segment, says(segment), is_worst=segment is worst) for segment in segments]
    said = worst_is.format(stretch=says(worst)) if worst else ""
    times = (clock_time(segments[0].start_s), said, clock_time(segments[-1].end_s))
    return div("cw-heat", div("cw-heat-cells", *cells), div("cw-heat-times", *(span(part, "") for part in times)))


def worst_segment(segments: Sequence[Segment]) -> Segment | None:
    """The stretch with the highest score, the earliest of equals."""
    return max(segments, key=lambda segment: (segment.score, -segment.start_s), default=None)


def heat_step(value: float) -> int:
    """One of HEAT_STEPS shades, 0 the palest."""
    return min(HEAT_STEPS - 1, max(0, int(value * HEAT_STEPS)))


def _cell(segment: Segment, label: str, *, is_worst: bool) -> Markup:
    length_s = max(segment.end_s - segment.start_s, 0.01)
    mark = span("▲", "cw-heat-worst", aria_hidden="true") if is_worst else span("", "")
    cls = f"cw-heat-cell cw-heat-{heat_step(segment.score)}"
    return div(cls, mark, style=f"flex-grow:{length_s:.2f}", title=label)
