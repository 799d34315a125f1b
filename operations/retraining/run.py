"""One retraining: look, decide, train, measure, register as challenger; never a promotion."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from core.clock import Clock
from core.errors import ConfigError
from core.labels import Modality
from core.settings import Settings
from models.bundle import STARTER
from models.evaluation.folder import write_evaluation
from models.evaluation.model import load_model
from models.evaluation.report import FILE_NAME
from models.evaluation.request import Request
from models.evaluation.rows import LEFT_OUT
from models.evaluation.run import evaluate_model
from models.gates import SPLIT
from models.promotion import register
from models.registry import Registry, Version
from models.training.tables import read_table, table_names, table_path
from operations.provenance import read_run
from operations.retraining.labels import read_labels, rows_of, training_folder
from operations.retraining.look import Asked, Look, Outcome, decide
from operations.retraining.observe import observe
from operations.retraining.session import Session, alone

NOTE = "retrained"
"""The tag of a version that this loop made: what it has learned from, so that it counts once."""
_BUSY = "another retraining runs"

Train = Callable[..., object]
"""`models.training.train.train`, or what trains as quickly as a test wants."""


@dataclass(frozen=True)
class _Labels:
    """All labels there are, how many of them are new, and the note that makes them old."""

    table: pd.DataFrame
    new: int
    note: dict[str, str]


class Retraining:
    """The loop's turns, one at a time over all machines that share a database.

    A run that was killed left no version and holds no lock: the next look finds the same reasons and starts afresh.

    Args:
        settings: where the database is, the limits, the folder to work in.
        registry: where the challenger goes, and what the last one learned from.
        train: see `models.training.train.train`.
        clock: dates looks and runs.
    """

    def __init__(self, settings: Settings, registry: Registry, train: Train, clock: Clock) -> None:
        self._settings = settings
        self._registry = registry
        self._train = train
        self._clock = clock

    def look(self, asked: Asked) -> Outcome:
        """Look once, and train if there is reason to.

        Raises:
            ConfigError: the data or a file of labels cannot be used, or the modality is fusion.
            StoreUnavailable: the database does not answer, or went away while training; nothing was registered.
            RegistryUnavailable: nothing was registered.
            MediaError: a clip cannot be decoded.
        """
        if asked.modality is Modality.FUSION:
            raise ConfigError("fusion is trained over the champions: promote text and video, then clipwarden train")
        if asked.labels is not None and asked.modality is not Modality.TEXT:
            raise ConfigError("labels are of captions, they teach text alone; leave --labels out, or retrain text")
        with alone(self._settings.store) as session:
            return Outcome(_BUSY) if session is None else self._look(session, asked)

    def _look(self, session: Session, asked: Asked) -> Outcome:
        now = self._clock.now()
        last = next((made for made in self._registry.versions(asked.modality) if NOTE in made.tags), None)
        labels = _labels(session, asked, json.loads(last.tags[NOTE]) if last else {})
        model = self._serving(asked.modality)
        folder = self._settings.retraining.work_dir / asked.modality
        drift = observe(session, model, self._settings.retraining, folder=folder, now=now)
        look = Look(model, labels.new, drift.values, drift.untold)
        last_at = last.created_at if last else None
        decision = decide(look, self._settings.retraining, now=now, last=last_at, forced=asked.forced)
        if not decision.trains:
            return Outcome(decision.line, look)
        made = self._make(asked, labels.table, folder / "run", now)
        parameters = {"retrained_because": decision.line, "reviews": len(labels.table)}
        # Whoever lost the lock meanwhile may not be alone any more.
        session.check()
        version = self._register(asked.modality, made, parameters)
        self._registry.note(version, NOTE, json.dumps({**labels.note, "because": decision.line}))
        return Outcome(decision.line, look, version)

    def _make(self, asked: Asked, reviews: pd.DataFrame, run: Path, now: datetime) -> Path:
        """Train and measure in a folder of its own; what a killed run left there goes."""
        shutil.rmtree(run, ignore_errors=True)
        data = training_folder(asked.data, reviews, run / "data")
        model = run / "models" / asked.modality
        # Before hours of training: what may fail now need not fail then.
        splits, champion = _splits(data, asked.modality), self._champion_folder(asked.modality)
        self._train(asked.modality, data=data, out=model, version=f"{now:%Y%m%d-%H%M}")
        for split in (name for name in (SPLIT, "test") if name in splits):
            request = Request(model=str(model), data=data, split=split, champion=champion, folds=False)
            write_evaluation(evaluate_model(request), run / "evaluations" / split)
        return run

    def _register(self, modality: Modality, run: Path, parameters: dict[str, object]) -> Version:
        model, reports = run / "models" / modality, sorted((run / "evaluations").glob(f"*/{FILE_NAME}"))
        described = read_run(model, reports)
        described = replace(described, parameters={**described.parameters, **parameters})
        max_bytes = self._settings.mlflow.max_model_bytes
        return register(self._registry, model, modality=modality, run=described, max_bytes=max_bytes)

    def _serving(self, modality: Modality) -> str:
        champion = self._registry.champion(modality)
        return str(champion) if champion else load_model(self._base() / modality).name

    def _champion_folder(self, modality: Modality) -> str:
        champion = self._registry.champion(modality)
        cache = self._settings.retraining.work_dir / "champions"
        return str(self._registry.fetch(champion, cache) if champion else self._base() / modality)

    def _base(self) -> Path:
        return self._settings.serving.models_dir or STARTER


def _labels(session: Session, asked: Asked, last: dict[str, Any]) -> _Labels:
    """Captions teach text alone; a file counts as new until a training had it."""
    if asked.modality is not Modality.TEXT:
        return _Labels(rows_of([]), 0, {})
    if asked.labels is not None:
        table = read_labels(asked.labels)
        digest = hashlib.sha256(asked.labels.read_bytes()).hexdigest()
        known = {name: str(last[name]) for name in ("until",) if name in last}
        return _Labels(table, 0 if last.get("file") == digest else len(table), {**known, "file": digest})
    table = rows_of(session.decisions())
    until = str(table["decided_at"].max().isoformat()) if len(table) else str(last.get("until", ""))
    before = datetime.fromisoformat(last["until"]) if last.get("until") else None
    new = len(table) if before is None else int((table["decided_at"] > before).sum())
    return _Labels(table, new, {"until": until, **{name: last[name] for name in ("file",) if name in last}})


def _splits(data: Path, modality: Modality) -> set[str]:
    video, text = data / "video", data / "text"
    if modality is Modality.VIDEO:
        paths = [table_path(video, "manifest")]
    else:
        paths = [table_path(text, name) for name in table_names(text) if name not in LEFT_OUT]
    return {str(split) for path in paths for split in read_table(path).get("split", ())}
