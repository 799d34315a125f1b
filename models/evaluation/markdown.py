"""A report → Markdown tables, as the report for people and the model card show them."""

from collections.abc import Iterable, Mapping

from models.evaluation.calibration import BINS, Calibration
from models.evaluation.compare import Comparison, Difference
from models.evaluation.evaluate import Evaluation
from models.evaluation.figures import PRECISION_FLOOR, Figure
from models.evaluation.report import Report
from models.evaluation.slices import Slice

DEFINITIONS = f"""Intervals hold 95 % of 1,000 seeded resamples. AP is average precision; macro-F1 the mean of the F1 of
harmful and of safe at the model's own threshold. Recall at {PRECISION_FLOOR:.0%} precision is read off these rows' own
curve: what is possible, not what the threshold gives. Calibration error is the mean distance between probability and
share of harm over {BINS} bins of equal count, equal probabilities kept together; beside it stands what a perfectly
calibrated model of as many rows shows by chance (median of 400 simulations, 95th percentile in brackets). Right
decisions of slices have Wilson intervals."""


def figures_table(sets: Mapping[str, Evaluation]) -> str:
    """One row per set, with intervals."""
    recall = f"recall at {PRECISION_FLOOR:.0%} precision"
    head = ("set", "n (harmful)", "AP", "macro-F1", "harmful F1", "precision", "recall", recall, "accuracy", "AUC")
    rows = (
        (name, f"{one.n:,} ({one.harmful:,})", *(with_interval(figure) for figure in _row(one)))
        for name, one in sets.items()
    )
    return table(head, rows)


def calibration_table(sets: Mapping[str, Evaluation]) -> str:
    """One row per set: as served, and without temperature and bias."""
    head = ("set", "error as served", "of a perfect model", "Brier", "error uncalibrated", "Brier uncalibrated")
    return table(head, ((name, *_calibration_cells(one.calibration, one.uncalibrated)) for name, one in sets.items()))


def slices_table(slices: Iterable[Slice]) -> str:
    """One row per slice."""
    head = ("slice", "n (harmful)", "right decisions", "macro-F1", "AP")
    rows = (
        (
            f"{part.kind}: {part.name}",
            f"{part.n:,} ({part.harmful:,})",
            *(with_interval(figure) for figure in (part.accuracy, part.macro_f1, part.ap)),
        )
        for part in slices
    )
    return table(head, rows)


def rivals_table(report: Report) -> str:
    """One row per rival and set: its figures, the differences, the decisions."""
    head = ("on", "against", "its AP", "AP less its", "its macro-F1", "macro-F1 less its", "only this : only it right")
    rows = (
        (
            rival.on,
            rival.name,
            f"{rival.evaluation.figures.ap.value:.3f}",
            _difference(rival.comparison.ap),
            f"{rival.evaluation.figures.macro_f1.value:.3f}",
            _difference(rival.comparison.macro_f1),
            _decisions(rival.comparison),
        )
        for rival in report.rivals
    )
    return table(head, rows)


def checks_table(report: Report) -> str:
    """One row per condition."""
    rows = (
        (check.name, f"{check.value:+.3f}", f"{check.at_least:+.3f}", "yes" if check.passed else "**no**")
        for check in report.checks
    )
    return table(("condition", "value", "at least", "holds"), rows)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = tuple(head)
    lines = [head, ("---",) * len(head), *(tuple(row) for row in rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def with_interval(figure: Figure | None) -> str:
    """`0.812 (0.801 to 0.823)`; a dash where one class only makes it undefined."""
    return "-" if figure is None else f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def _row(one: Evaluation) -> tuple[Figure, ...]:
    figures = one.figures
    at_threshold = (figures.macro_f1, figures.harmful_f1, figures.precision, figures.recall)
    return (figures.ap, *at_threshold, figures.recall_at_precision, figures.accuracy, figures.auc)


def _calibration_cells(served: Calibration, before: Calibration | None) -> tuple[str, ...]:
    return (
        f"{served.ece:.3f}",
        f"{served.perfect_ece:.3f} ({served.perfect_ece_high:.3f})",
        f"{served.brier:.4f}",
        "-" if before is None else f"{before.ece:.3f}",
        "-" if before is None else f"{before.brier:.4f}",
    )


def _decisions(pair: Comparison) -> str:
    split = f"{pair.only_first_right:,} : {pair.only_second_right:,}"
    return f"{split} (p {_probability(pair.mcnemar_p)})"


def _difference(difference: Difference) -> str:
    spread = f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"
    return f"{spread}, {difference.outcome}"


def _probability(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004 - as papers print it
