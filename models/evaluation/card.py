"""A report → the figures section of a model card, which lies beside the weights and names nobody's folders."""

from models.evaluation.markdown import (
    DEFINITIONS,
    calibration_table,
    checks_table,
    figures_table,
    rivals_table,
    slices_table,
)
from models.evaluation.report import Report

_KINDS = ("language", "source", "harmful part")
"""Slices a card shows; the report shows all."""


def card_section(report: Report) -> str:
    """Markdown from `## Figures` on: every set, calibration, rivals and conditions where there are any."""
    parts = [f"## Figures on {report.split}", _intro(report), figures_table(report.sets)]
    if report.cross_validation is not None:
        parts += [
            "The recipe cross-validated on train and validation, no group on both sides; not these weights:",
            figures_table({"folds": report.cross_validation}),
        ]
    parts += ["### Calibration", calibration_table(report.sets)]
    if report.rivals:
        parts += ["### Against others, on the same rows", rivals_table(report)]
    if report.checks:
        parts += [checks_table(report)]
    parts += _slices(report)
    return "\n\n".join([*parts, DEFINITIONS, *report.notes]) + "\n"


def _intro(report: Report) -> str:
    return (
        f"Measured on the saved weights ({report.fingerprint}) on {report.evaluated_at:%Y-%m-%d}; harmful from "
        f"{report.threshold:g} up, which was set on other rows; temperature {report.temperature:.3f}, bias "
        f"{report.bias:.3f}."
    )


def _slices(report: Report) -> list[str]:
    main = next(iter(report.sets.values()))
    chosen = [part for part in main.slices if part.kind in _KINDS]
    return ["### Slices", slices_table(chosen)] if chosen else []
