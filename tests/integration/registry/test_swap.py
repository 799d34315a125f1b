"""A real worker under load while its champion changes: every request answered, every answer by one version."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.labels import Modality
from core.settings import MlflowSettings, ServingSettings
from models.bell import ring
from models.promotion import promote, register
from models.registry import Registry, Run, Version
from models.serving.job import Job
from models.serving.lineup import Lineup, Part
from models.serving.load import load_engine
from tests.fixtures.inference import client_of, until
from tests.fixtures.load import Load, worker_process
from tests.fixtures.outages import readiness
from tests.fixtures.platform import Platform
from tests.fixtures.registry import save_text

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

CAPTIONS = ((3, 4, 5), (9, 2, 11, 12), (20, 21, 22, 23, 24, 25, 2, 7))
WAIT_S = 120


def enter(registry: Registry, folder: Path, figure: float) -> Version:
    run = Run(figures={"gate.macro_f1": figure})
    return register(registry, folder, modality=Modality.TEXT, run=run, max_bytes=10_000_000)


def expected(base: Path, folder: Path, number: int) -> list[float]:
    settings = ServingSettings(device="cpu", precision="fp32", threads=1)
    engine = load_engine(settings, Lineup(base, {Modality.TEXT: Part(number, folder)}))
    return [(result.text or {})["harmful"] for result in engine.score([Job(ids, None, 16) for ids in CAPTIONS])]


def test_a_champion_is_swapped_rolled_back_and_refused_under_load_without_a_lost_or_mixed_answer(
    registry: Registry, registry_settings: MlflowSettings, registry_platform: Platform, base: Path, tmp_path: Path,
    free_port: int,
) -> None:  # fmt: skip
    folders = {number: save_text(tmp_path / f"text-{number}", seed=number) for number in (1, 2, 3)}
    versions = {number: enter(registry, folder, 0.8 + number / 100) for number, folder in folders.items()}
    scores = {f"text:{number}": expected(base, folders[number], number) for number in (1, 2)}
    assert all(abs(one - two) > 0.01 for one, two in zip(*scores.values(), strict=True))
    registry._client.log_artifact(versions[3].run_id, str(folders[1] / "model.safetensors"), "model")
    bind = f"ipc://{tmp_path}/worker.sock"
    env = dict(registry_platform.env) | {
        "CLIPWARDEN_SERVING__BIND": bind,
        "CLIPWARDEN_SERVING__MODELS_DIR": str(base),
        "CLIPWARDEN_SERVING__DEVICE": "cpu",
        "CLIPWARDEN_SERVING__PRECISION": "fp32",
        "CLIPWARDEN_SERVING__HTTP_PORT": str(free_port),
        "CLIPWARDEN_MLFLOW__CACHE_DIR": str(registry_settings.cache_dir),
    }
    gate = {"base": base, "cache": tmp_path / "promote", "now": datetime.now(UTC)}
    redis = registry_platform.settings.redis
    promote(registry, versions[1], **gate)

    with worker_process(env), client_of(bind) as client:
        assert client.served().model_version.startswith("text:1|video:")
        with Load(client, CAPTIONS) as load:
            promote(registry, versions[2], **gate)
            until(lambda: ring(redis, "text") == 1, within_s=WAIT_S)
            until(lambda: load.answers[-1:] != [] and load.answers[-1][0].startswith("text:2|"), within_s=WAIT_S)
            registry.roll_back(Modality.TEXT)
            ring(redis, "text")
            until(lambda: load.answers[-1][0].startswith("text:1|"), within_s=WAIT_S)
            registry.promote(versions[3])
            ring(redis, "text")
            until(lambda: "refused text:3: its weights' sha256" in str(readiness(free_port)), within_s=WAIT_S)

    assert load.errors == []
    assert [version.split("|")[0] for version in load.versions()] == ["text:1", "text:2", "text:1"]
    for version, number, score in load.answers:
        assert score == pytest.approx(scores[version.split("|")[0]][number], abs=1e-4)
