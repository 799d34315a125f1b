"""A report → the evaluation section of a model card, which lies beside the weights and names nobody's folders."""

import re
from pathlib import Path

from core.errors import ConfigError
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


CARD = "README.md"
_HEAD = "## Evaluation on "
_SECTION = re.compile(rf"^{_HEAD}.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_LIMITS = re.compile(r"(?=^## Limits$)|\Z", re.MULTILINE)


def write_card(report: Report, folder: Path) -> None:
    """Put the section into a model's card, before its limits; an earlier evaluation there is replaced.

    Raises:
        ConfigError: the card cannot be written.
    """
    path = folder / CARD
    try:
        card = path.read_text(encoding="utf-8") if path.exists() else f"# Model {report.model}\n\n"
        card = _SECTION.sub("", card)
        section = card_section(report)
        path.write_text(_LIMITS.sub(lambda _: section + "\n", card, count=1).rstrip() + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}); evaluate a copy of the folder") from error


def card_section(report: Report) -> str:
    """Markdown from its heading on: every set, calibration, rivals and conditions where there are any."""
    parts = [f"{_HEAD}{report.split}", _intro(report), figures_table(report.sets)]
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
