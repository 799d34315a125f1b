"""An evaluation → its pictures: precision over recall, said over true, slices with their intervals."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from models.evaluation.calibration import Calibration
from models.evaluation.evaluate import Evaluation
from models.evaluation.figures import PRECISION_FLOOR
from models.evaluation.slices import Slice

INK, QUIET, LINE, PAGE = "#0f172a", "#64748b", "#e2e8f0", "#ffffff"
ACTION, HARMFUL, REVIEW = "#1d4ed8", "#b91c1c", "#b45309"
_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    # The same figures give the same bytes.
    "svg.hashsalt": "clipwarden",
}
_MOST_SLICES = 30


def draw_precision_recall(title: str, evaluation: Evaluation, rival: tuple[str, Evaluation] | None, to: Path) -> None:
    """Precision over recall, the cut that serves, the share of harmful rows as the floor."""
    with _picture(to, title, _facts(evaluation), (6.4, 5.2)) as axes:
        _draw_curve(axes, evaluation, ACTION, "this model")
        if rival is not None:
            name, other = rival
            _draw_curve(axes, other, QUIET, name)
        share = evaluation.harmful / evaluation.n
        axes.axhline(share, color=QUIET, linewidth=1, linestyle=(0, (2, 3)))
        axes.annotate("flag everything", (0.01, share), (0, 4), textcoords="offset points", color=QUIET, fontsize=9)
        axes.axhline(PRECISION_FLOOR, color=REVIEW, linewidth=1)
        axes.annotate(
            f"{PRECISION_FLOOR:.0%} precision",
            (1.0, PRECISION_FLOOR),
            (0, 4),
            textcoords="offset points",
            color=REVIEW,
            fontsize=9,
            ha="right",
        )
        axes.set(xlim=(0, 1.01), ylim=(0, 1.02), xlabel="recall: harmful rows found", ylabel="precision: alerts right")
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 0.06))


def draw_reliability(title: str, evaluation: Evaluation, to: Path) -> None:
    """What was said over what was true, bin by bin; below the diagonal the model is too sure."""
    own, before = evaluation.calibration, evaluation.uncalibrated
    with _picture(to, title, _facts(evaluation), (6.4, 6.2)) as axes:
        axes.plot((0, 1), (0, 1), color=QUIET, linewidth=1, linestyle=(0, (2, 3)))
        axes.annotate("too cautious", (0.04, 0.94), color=QUIET, fontsize=9)
        axes.annotate("too sure", (0.96, 0.04), color=QUIET, fontsize=9, ha="right")
        if before is not None:
            said, true = _said_and_true(before)
            name = f"without temperature and bias: {_errors(before)}"
            axes.plot(said, true, "o", color=QUIET, markersize=5, fillstyle="none", clip_on=False, label=name)
        _draw_bins(axes, own, f"as served: {_errors(own)}; chance alone errs {own.perfect_ece:.3f}")
        axes.axvline(evaluation.threshold, color=REVIEW, linewidth=1)
        axes.annotate(
            f"cut {evaluation.threshold:g}",
            (evaluation.threshold, 1.0),
            (4, -2),
            textcoords="offset points",
            color=REVIEW,
            fontsize=9,
            va="top",
        )
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability said", ylabel="share truly harmful, 95 % interval")
        axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.1))


def draw_slices(title: str, evaluation: Evaluation, to: Path) -> None:
    """Each slice's share of right decisions with its interval; the whole set's as a line. Smallest slices left out."""
    slices = _shown(evaluation.slices)
    with _picture(to, title, _facts(evaluation), (7.6, 1.6 + 0.3 * len(slices))) as axes:
        axes.axvline(evaluation.figures.accuracy.value, color=ACTION, linewidth=1)
        for place, part in enumerate(slices):
            axes.plot((part.accuracy.low, part.accuracy.high), (place, place), color=QUIET, linewidth=2)
            axes.plot(part.accuracy.value, place, "o", color=INK, markersize=5, clip_on=False)
        names = [f"{part.kind}: {part.name}  ({part.harmful:,} harmful of {part.n:,})" for part in slices]
        axes.set_yticks(range(len(slices)), names)
        axes.set(
            xlim=(0, 1.01),
            ylim=(len(slices) - 0.4, -0.6),
            xlabel="right decisions, 95 % interval; line: all rows",
        )
        axes.grid(visible=False, axis="y")


def _shown(slices: tuple[Slice, ...]) -> list[Slice]:
    """The largest, in the order they come."""
    largest = sorted(slices, key=lambda part: -part.n)[:_MOST_SLICES]
    return [part for part in slices if part in largest]


def _facts(evaluation: Evaluation) -> str:
    units = "" if evaluation.units == evaluation.n else f", {evaluation.units:,} independent units"
    return f"n {evaluation.n:,}, of them {evaluation.harmful:,} harmful{units}"


def _draw_curve(axes: Axes, evaluation: Evaluation, colour: str, name: str) -> None:
    figures = evaluation.figures
    recall, precision = zip(*((point.recall, point.precision) for point in evaluation.curve), strict=True)
    axes.plot(recall, precision, color=colour, linewidth=2, label=f"{name}: AP {_spread(evaluation)}")
    axes.plot(figures.recall.value, figures.precision.value, "o", color=colour, markersize=7)
    axes.annotate(
        f"cut {evaluation.threshold:g}",
        (figures.recall.value, figures.precision.value),
        (8, 4),
        textcoords="offset points",
        color=colour,
        fontsize=9,
    )


def _spread(evaluation: Evaluation) -> str:
    ap = evaluation.figures.ap
    return f"{ap.value:.3f} ({ap.low:.3f} to {ap.high:.3f})"


def _draw_bins(axes: Axes, measured: Calibration, name: str) -> None:
    said, true = _said_and_true(measured)
    below = [max(0.0, part.harmful_share - part.low) for part in measured.bins]
    above = [max(0.0, part.high - part.harmful_share) for part in measured.bins]
    axes.errorbar(
        said,
        true,
        yerr=(below, above),
        fmt="o-",
        color=ACTION,
        linewidth=1.4,
        markersize=5,
        elinewidth=1,
        clip_on=False,
        label=name,
    )


def _said_and_true(measured: Calibration) -> tuple[list[float], list[float]]:
    return [part.probability for part in measured.bins], [part.harmful_share for part in measured.bins]


def _errors(measured: Calibration) -> str:
    return f"error {measured.ece:.3f}, Brier {measured.brier:.3f}"


@contextmanager
def _picture(to: Path, title: str, facts: str, size: tuple[float, float]) -> Iterator[Axes]:
    """A titled canvas with one set of axes, saved when drawn."""
    with rc_context(_STYLE):
        canvas = Canvas(figsize=size, facecolor=PAGE, layout="constrained")
        axes = canvas.add_subplot()
        yield axes
        axes.set_title(f"{title}\n", loc="left", fontsize=12, fontweight="bold", color=INK)
        quiet: dict[str, Any] = {"color": QUIET, "fontsize": 9}
        axes.annotate(facts, (0, 1), (0, 8), xycoords="axes fraction", textcoords="offset points", **quiet)
        canvas.savefig(to, metadata={"Date": None})
