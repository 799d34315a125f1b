"""A model's whole life, by what its engineer types: train, evaluate, register, promote, serve, roll back."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer import Typer
from typer.testing import CliRunner

from core.errors import ModelRefused
from core.labels import Modality
from core.settings import MlflowSettings, Settings
from models.bell import ring
from models.registry import Registry
from models.training.config import LoopConfig, TextTraining
from models.training.text import train_text
from models.training.train import text_sources
from operations.commands import models as models_command
from tests.fixtures.inference import client_of, until
from tests.fixtures.load import Load, worker_process
from tests.fixtures.outages import readiness
from tests.fixtures.platform import Platform

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

WAIT_S = 120
CAPTIONS = ((4, 5, 6), (7, 8, 9, 10, 11), (12, 13))
INSULTS = ("idiot", "scum", "moron", "vermin", "trash", "loser", "pig", "fool", "rat", "creep")
KIND_WORDS = ("friend", "neighbour", "teacher", "cat", "song", "garden", "uncle", "house", "boat", "lamp")
QUICK = LoopConfig(epochs=6, batch_size=16, learning_rate=1e-2, weight_decay=0.0, patience=6, average_decay=0.5)
ROWS = {"train": 160, "validation": 60, "test": 40, "gate": 200}


def write_captions(data: Path, *, known: int, flipped: float = 0.0) -> Path:
    """Captions of which only so many words of a kind occur in training; some of their labels are wrong."""
    rows = []
    for split, count in ROWS.items():
        # Each split is drawn by itself: all candidates are measured on the same gate.
        rng = random.Random(split)
        for _ in range(count):
            label = rng.choice(["safe", "harmful"])
            is_taught = split in ("train", "validation")
            words = (INSULTS if label == "harmful" else KIND_WORDS)[: known if is_taught else None]
            # No two alike, also to a check that cuts repeated characters.
            text = f"look at my {rng.choice(words)} {'x'.join(str(len(rows)))}"
            if is_taught and rng.random() < flipped:
                label = "safe" if label == "harmful" else "harmful"
            rows.append((text, label, "offensive" if label == "harmful" else "", "en", split))
    (data / "text").mkdir(parents=True)
    table = pd.DataFrame(rows, columns=["text", "label", "category", "lang", "split"])
    table.to_parquet(data / "text" / "captions.parquet")
    return data


def clipwarden(app: Typer, *arguments: str | Path) -> dict[str, Any]:
    """What a command printed with --json."""
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    answer: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return answer


def trained_and_registered(data: Path, out: Path) -> int:
    """The number of a new version; it was measured on the gate split of its data."""
    train_text(
        TextTraining(
            data=data,
            out=out / "text",
            cache=data / "cache",
            version=out.name,
            sources=text_sources(data),
            layers=1,
            frozen_layers=0,
            rows=1 << 10,
            ngram_loop=QUICK,
            encoder_loop=replace(QUICK, epochs=1, learning_rate=1e-3),
        )
    )
    clipwarden(models_command.app, "evaluate", out / "text", "--data", data, "--split", "gate", "--out", out / "gate")
    return registered(out)


def registered(out: Path) -> int:
    """The number of a new version with the figures beside its folder."""
    evaluation = ("--evaluation", out / "gate" / "evaluation.json")
    return int(clipwarden(models_command.app, "register", out / "text", "--name", "text", *evaluation)["number"])


@pytest.fixture
def environment(
    registry_platform: Platform, registry: Registry, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Of the engineer's shell, and of the worker."""
    assert registry.versions(Modality.TEXT) == []
    env = dict(registry_platform.env) | {"CLIPWARDEN_SERVING__MODELS_DIR": str(base)}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return env


def test_a_model_is_trained_measured_promoted_served_rolled_back_and_a_bad_one_never_serves(
    environment: dict[str, str], registry: Registry, registry_settings: MlflowSettings, tmp_path: Path, free_port: int
) -> None:
    fair = trained_and_registered(write_captions(tmp_path / "fair-data", known=7), tmp_path / "fair")
    good = trained_and_registered(write_captions(tmp_path / "good-data", known=10), tmp_path / "good")
    worse = trained_and_registered(write_captions(tmp_path / "worse-data", known=10, flipped=0.9), tmp_path / "worse")
    figures = {number: registry.version(Modality.TEXT, number).measured.figures for number in (fair, good, worse)}
    assert figures[worse]["gate.macro_f1"] < figures[fair]["gate.macro_f1"] < figures[good]["gate.macro_f1"]
    with pytest.raises(ModelRefused, match="the bar is"):
        clipwarden(models_command.app, "promote", "text", str(worse))
    clipwarden(models_command.app, "promote", "text", str(fair))
    bind = f"ipc://{tmp_path}/worker.sock"
    worker = {
        "CLIPWARDEN_SERVING__BIND": bind,
        "CLIPWARDEN_SERVING__DEVICE": "cpu",
        "CLIPWARDEN_SERVING__HTTP_PORT": str(free_port),
        "CLIPWARDEN_MLFLOW__CACHE_DIR": str(registry_settings.cache_dir),
    }

    with worker_process(environment | worker), client_of(bind) as client, Load(client, CAPTIONS) as load:

        def serves(number: int) -> bool:
            return load.answers[-1:] != [] and load.answers[-1][0].startswith(f"text:{number}|")

        until(lambda: serves(fair), within_s=WAIT_S)
        clipwarden(models_command.app, "promote", "text", str(good))
        until(lambda: serves(good), within_s=WAIT_S)
        with pytest.raises(ModelRefused, match="worse"):
            clipwarden(models_command.app, "promote", "text", str(worse))
        assert clipwarden(models_command.app, "rollback", "text")["champion"] == fair
        until(lambda: serves(fair), within_s=WAIT_S)
        broken = registered(tmp_path / "good")
        registry._client.log_artifact(
            registry.version(Modality.TEXT, broken).run_id,
            str(tmp_path / "worse" / "text" / "model.safetensors"),
            "model",
        )
        registry.promote(registry.version(Modality.TEXT, broken))
        ring(Settings.load().redis, "text")
        until(lambda: f"refused text:{broken}" in str(readiness(free_port)), within_s=WAIT_S)
        until(lambda: serves(fair), within_s=WAIT_S)

    assert load.errors == []
    assert [version.split("|")[0] for version in load.versions()] == [f"text:{n}" for n in (fair, good, fair)]
    for number in (fair, good):
        answers = [
            (caption, score) for version, caption, score in load.answers if version.startswith(f"text:{number}|")
        ]
        spread = [np.ptp([score for caption, score in answers if caption == one]) for one in range(len(CAPTIONS))]
        assert max(spread) < 0.01, "what is called one version was computed by one"
