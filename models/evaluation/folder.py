"""A report → its folder: `evaluation.json` for programs, `report.md` and pictures for people, `examples.csv`."""

import re
from collections.abc import Mapping
from pathlib import Path

from core.errors import ConfigError
from models.evaluation.evaluate import Evaluation
from models.evaluation.examples import write_examples
from models.evaluation.markdown import (
    DEFINITIONS,
    calibration_table,
    checks_table,
    figures_table,
    rivals_table,
    slices_table,
)
from models.evaluation.pictures import draw_precision_recall, draw_reliability, draw_slices
from models.evaluation.report import FILE_NAME, Report
from models.evaluation.run import Evaluated

EXAMPLES = "examples.csv"


def write_evaluation(evaluated: Evaluated, out: Path) -> None:
    """Write everything into `out`, which is made; files of an earlier evaluation there are replaced.

    Raises:
        ConfigError: the folder cannot be written.
    """
    report = evaluated.report
    try:
        out.mkdir(parents=True, exist_ok=True)
        pictures = {name: _draw(report, name, evaluation, out) for name, evaluation in report.sets.items()}
        (out / "report.md").write_text(_markdown(report, pictures, has_examples=bool(evaluated.examples)), "utf-8")
        if evaluated.examples:
            write_examples(evaluated.examples, out / EXAMPLES)
        # Last: who finds it finds the rest.
        (out / FILE_NAME).write_text(report.to_json() + "\n", "utf-8")
    except OSError as error:
        raise ConfigError(f"{out} cannot be written ({error.strerror}); name another folder with --out") from error


def _draw(report: Report, name: str, evaluation: Evaluation, out: Path) -> tuple[str, ...]:
    """The set's pictures; their file names."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    title = f"{report.model} on {name}"
    rival = next(((rival.name, rival.evaluation) for rival in report.rivals if rival.on == name), None)
    files = (f"{stem}-precision-recall.svg", f"{stem}-reliability.svg", f"{stem}-slices.svg")
    draw_precision_recall(title, evaluation, rival, out / files[0])
    draw_reliability(title, evaluation, out / files[1])
    if not evaluation.slices:
        return files[:2]
    draw_slices(title, evaluation, out / files[2])
    return files


def _markdown(report: Report, pictures: Mapping[str, tuple[str, ...]], *, has_examples: bool) -> str:
    parts = [f"# {report.model} on {report.split}", _intro(report), figures_table(report.sets)]
    if report.cross_validation is not None:
        folds = {"cross-validation of the recipe": report.cross_validation}
        parts += ["Not of these weights: heads that had not seen the clip's group.", figures_table(folds)]
    parts += ["## Calibration", calibration_table(report.sets)]
    if report.rivals:
        parts += ["## Against others, on the same rows", rivals_table(report)]
    if report.checks:
        parts += ["## Conditions", checks_table(report)]
    for name, evaluation in report.sets.items():
        parts += [f"## {name}", *(f"![{file.removesuffix('.svg')}]({file})" for file in pictures[name])]
        parts += [slices_table(evaluation.slices)] if evaluation.slices else []
    parts += ["## How to read this", DEFINITIONS, *report.notes]
    if has_examples:
        parts.append(f"`{EXAMPLES}` holds the surest false alarms and misses of each set; expect hateful language.")
    return "\n\n".join(parts) + "\n"


def _intro(report: Report) -> str:
    return (
        f"Weights {report.fingerprint}, measured {report.evaluated_at:%Y-%m-%d %H:%M} UTC. Harmful from "
        f"{report.threshold:g} up (the model's own threshold); temperature {report.temperature:.3f}, bias "
        f"{report.bias:.3f}."
    )
