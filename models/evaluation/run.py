"""A model and labelled data → its report: what `clipwarden models evaluate` and the registry's gates call."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import structlog

from core.clock import SystemClock
from core.errors import ConfigError
from core.labels import Modality
from models.evaluation.fusion import measure_fusion
from models.evaluation.model import Model, load_model
from models.evaluation.report import Measured, Report
from models.evaluation.request import Request
from models.evaluation.scoring import Progress, no_progress
from models.evaluation.single import measure_single

_log = structlog.get_logger()


@dataclass(frozen=True)
class Evaluated:
    """A report of the model in `folder`, and the rows it got most wrong, which people wrote: they go to a file only."""

    report: Report
    examples: list[pd.DataFrame]
    folder: Path


def evaluate_model(request: Request, progress: Progress = no_progress) -> Evaluated:
    """Score a split and measure; the same request gives the same figures.

    Raises:
        ConfigError: a model or the data cannot be used.
        MediaError: a clip cannot be decoded.
    """
    if not request.data.is_dir():
        raise ConfigError(
            f"{request.data} is no folder; name one with tables of captions in text/, and video/manifest.csv"
        )
    model = load_model(request.model)
    champion = _load_champion(request.champion, model)
    measure = measure_fusion if model.modality is Modality.FUSION else measure_single
    measured, examples = measure(request, model, champion, progress=progress)
    # Who looked at which rows is part of what later figures on them mean.
    _log.info("evaluation.done", model=model.name, fingerprint=model.loaded.fingerprint, split=request.split)
    return Evaluated(_report(request, model, measured), examples, model.folder)


def _load_champion(name: str | None, model: Model) -> Model | None:
    if name is None:
        return None
    champion = load_model(name)
    if champion.modality is not model.modality:
        raise ConfigError(f"the champion {name} is a {champion.modality} model, not {model.modality}; name another")
    return champion


def _report(request: Request, model: Model, measured: Measured) -> Report:
    return Report(
        model=model.name,
        modality=model.modality,
        fingerprint=model.loaded.fingerprint,
        threshold=model.threshold,
        temperature=model.temperature,
        bias=model.bias,
        split=request.split,
        data_sha256=measured.data_sha256,
        evaluated_at=SystemClock().now(),
        sets=measured.sets,
        rivals=measured.rivals,
        checks=measured.checks,
        cross_validation=measured.cross_validation,
        notes=measured.notes,
    )
