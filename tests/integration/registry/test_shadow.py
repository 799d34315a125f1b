"""A real worker follows the registry's challengers: their scores reach the database, the champion alone answers."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.labels import Modality
from core.settings import MlflowSettings
from core.storage.history import TimescaleHistory
from dataflows.policy import PolicyFile
from dataflows.shadow import ShadowLog
from models.bell import ring
from models.client import InferRequest, Sample, Shadow
from models.promotion import promote, register
from models.registry import Registry, Run
from operations.commands.models import app
from tests.fixtures.inference import client_of, until
from tests.fixtures.platform import Platform
from tests.fixtures.registry import GATE, save_text, save_video
from tests.integration.registry.test_swap import CAPTIONS, WAIT_S, expected, readiness, worker_process

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

NOW = datetime.now(UTC)
WORDS = "abc"
"""Whose ids are those of the first caption."""


def test_a_challenger_scores_in_shadow_and_one_that_is_damaged_is_refused_while_the_champion_answers(
    registry: Registry, registry_settings: MlflowSettings, registry_platform: Platform, base: Path, tmp_path: Path,
    free_port: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folders = {number: save_text(tmp_path / f"text-{number}", seed=number) for number in (1, 2, 3)}
    run, redis = Run(figures=GATE), registry_platform.settings.redis

    def enter(folder: Path, modality: Modality) -> None:
        version = register(registry, folder, modality=modality, run=run, max_bytes=10_000_000)
        if folder == folders[3]:
            registry._client.log_artifact(version.run_id, str(folders[1] / "model.safetensors"), "model")

    enter(folders[1], Modality.TEXT)
    promote(registry, registry.version(Modality.TEXT, 1), base=base, cache=tmp_path / "promote", now=NOW)
    enter(folders[2], Modality.TEXT)
    enter(save_video(tmp_path / "video", seed=1), Modality.VIDEO)
    bind = f"ipc://{tmp_path}/worker.sock"
    env = dict(registry_platform.env) | {
        "CLIPWARDEN_SERVING__BIND": bind,
        "CLIPWARDEN_SERVING__MODELS_DIR": str(base),
        "CLIPWARDEN_SERVING__DEVICE": "cpu",
        "CLIPWARDEN_SERVING__PRECISION": "fp32",
        "CLIPWARDEN_SERVING__HTTP_PORT": str(free_port),
        "CLIPWARDEN_MLFLOW__CACHE_DIR": str(registry_settings.cache_dir),
    }
    history = TimescaleHistory(registry_platform.settings.store)
    log = ShadowLog(history, policy=lambda: PolicyFile().policy).start()
    told: list[Shadow] = []
    answers: list[tuple[str, float]] = []

    def note(shadow: Shadow) -> None:
        told.append(shadow)
        log.put(shadow)

    with worker_process(bind, env), client_of(bind, on_shadow=note) as client:

        def post() -> set[str]:
            sample = Sample(f"v:{len(answers)}", NOW, WORDS)
            with client.slot() as slot:
                slot.frames[:] = 99
                result = client.infer(InferRequest(CAPTIONS[0], slot, sample=sample)).result(60)
            answers.append((result.model_version.split("|")[0], (result.text or {})["harmful"]))
            return {shadow.challenger for shadow in told}

        until(lambda: post() == {"text:2", "video:1"}, within_s=WAIT_S)
        enter(folders[3], Modality.TEXT)
        ring(redis, "text")
        until(lambda: bool(post()) and "refused challenger text:3: its weights' sha256" in readiness(free_port), within_s=WAIT_S)  # fmt: skip  # noqa: E501
        seen = len(told)
        until(lambda: bool(post()) and any(shadow.challenger == "video:1" for shadow in told[seen:]), within_s=WAIT_S)

    one, two = (expected(base, folders[number], number)[0] for number in (1, 2))
    assert {(version, round(score, 3)) for version, score in answers} == {("text:1", round(one, 3))}
    text = [shadow for shadow in told if shadow.modality is Modality.TEXT]
    assert {shadow.challenger for shadow in text} == {"text:2"}
    for shadow in text:
        assert shadow.champion_scores["harmful"] == pytest.approx(one, abs=1e-4)
        assert shadow.challenger_scores["harmful"] == pytest.approx(two, abs=1e-4)
    log.close()
    _check_rows(history, told, apart=abs(one - two))
    for name, value in registry_platform.env.items():
        monkeypatch.setenv(name, value)
    printed = CliRunner().invoke(app, ["shadow", "--json"], catch_exceptions=False)
    row = next(row for row in json.loads(printed.stdout)["shadow"] if row["modality"] == "text")
    assert (row["champion"], row["challenger"], row["sampled"]) == ("text:1", "text:2", len(text))


def _check_rows(history: TimescaleHistory, told: list[Shadow], *, apart: float) -> None:
    found = history.disagreement(NOW - timedelta(hours=1))
    history.close()
    rows = {row.challenger: row for row in found}
    assert (set(rows), rows["text:2"].champion) == ({"text:2", "video:1"}, "text:1")
    assert sum(row.sampled for row in found) == len(told)
    assert rows["text:2"].mean_difference == pytest.approx(apart, abs=1e-4)
