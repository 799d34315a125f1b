"""Where a trained folder comes from, read from the files beside its weights: what the registry's run is told."""

import json
import math
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from models.gates import SPLIT
from models.networks.loading import fingerprint
from models.registry import Run
from operations.processes import CODE_DIR

EVALUATION, TRAINING = "evaluation.json", "training.json"


def read_run(folder: Path, evaluations: Iterable[Path]) -> Run:
    """How a model came to be and how good it is.

    Args:
        folder: the model's; `training.json` in it may hold parameters, curves and data_sha256.
        evaluations: one per split; `evaluation.json` in the folder is read where none is named.

    Raises:
        ConfigError: a file cannot be read, or the figures are those of other weights.
    """
    own = folder / EVALUATION
    files = list(evaluations) or ([own] if own.is_file() else [])
    reports = [_report(path, folder) for path in files]
    training = _object(folder / TRAINING) if (folder / TRAINING).is_file() else {}
    return Run(
        parameters={**_scalars(_object(folder / "config.json")), **_scalars(training.get("parameters", {}))},
        figures={name: value for report in reports for name, value in _figures(report).items()},
        curves=training.get("curves", {}),
        data_sha256=str(training.get("data_sha256", "")),
        gate_data_sha256=next((str(r.get("data_sha256", "")) for r in reports if r.get("split") == SPLIT), ""),
        git_commit=_commit(),
    )


def _report(path: Path, folder: Path) -> dict[str, Any]:
    report = _object(path)
    of = report.get("fingerprint", "")
    if of and of != fingerprint(folder):
        raise ConfigError(f"{path} holds the figures of other weights than {folder}; evaluate this model")
    return report


def _figures(report: Mapping[str, Any]) -> dict[str, float]:
    """`split.figure` → value, of the report's main set, or of the report itself where it has no sets."""
    split = str(report.get("split", "test"))
    main = next(iter(report["sets"].values()), {}) if isinstance(report.get("sets"), dict) else report
    figures: dict[str, Any] = {**main, **main.get("figures", {})}
    values = {name: value["value"] if _is_interval(value) else value for name, value in figures.items()}
    return {f"{split}.{name}": float(value) for name, value in values.items() if _is_number(value)}


def _is_interval(value: object) -> bool:
    return isinstance(value, dict) and "value" in value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _scalars(values: Mapping[str, Any]) -> dict[str, object]:
    return {name: value for name, value in values.items() if isinstance(value, str | int | float)}


def _object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as JSON ({error}); correct or remove it") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} holds no JSON object; correct or remove it")
    return content


def _commit() -> str:
    """The code's commit, where it is a checkout."""
    command = ("git", "-C", str(CODE_DIR), "rev-parse", "HEAD")
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - ours
    except FileNotFoundError:
        return ""
