"""A real worker follows the registry's challengers: their scores reach the database, the champion alone answers."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
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
from models.registry import Registry, Run, Version
from models.remote import RemoteClient
from operations.commands.models import app
from tests.fixtures.inference import client_of, until
from tests.fixtures.load import worker_process
from tests.fixtures.outages import readiness
from tests.fixtures.platform import Platform
from tests.fixtures.registry import GATE, save_text, save_video
from tests.integration.registry.test_swap import CAPTIONS, expected

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

NOW = datetime.now(UTC)
WORDS = "abc"
"""Their ids are those of the first caption."""
WAIT_S = 240
"""Children get the CPU that everybody else leaves."""


class _Posts:
    """Posts sampled captions with a clip, one after another, and notes what comes back."""

    def __init__(self, client: RemoteClient, told: list[Shadow]) -> None:
        self._client = client
        self._told = told
        self.answers: list[tuple[str, float]] = []

    def post(self) -> set[str]:
        """Post one; returns which challengers have said something so far."""
        sample = Sample(f"v:{len(self.answers)}", NOW, WORDS)
        with self._client.slot() as slot:
            slot.frames[:] = 99
            result = self._client.infer(InferRequest(CAPTIONS[0], slot, sample=sample)).result(60)
        self.answers.append((result.model_version.split("|")[0], (result.text or {})["harmful"]))
        # The child gets the CPU that others leave.
        time.sleep(0.05)
        return {shadow.challenger for shadow in self._told}


@pytest.fixture
def worker_env(
    registry_settings: MlflowSettings, registry_platform: Platform, base: Path, tmp_path: Path, free_port: int
) -> dict[str, str]:
    return dict(registry_platform.env) | {
        "CLIPWARDEN_SERVING__BIND": f"ipc://{tmp_path}/worker.sock",
        "CLIPWARDEN_SERVING__MODELS_DIR": str(base),
        "CLIPWARDEN_SERVING__DEVICE": "cpu",
        "CLIPWARDEN_SERVING__PRECISION": "fp32",
        "CLIPWARDEN_SERVING__HTTP_PORT": str(free_port),
        "CLIPWARDEN_MLFLOW__CACHE_DIR": str(registry_settings.cache_dir),
    }


@pytest.fixture
def store(registry_platform: Platform) -> Iterator[TimescaleHistory]:
    history = TimescaleHistory(registry_platform.settings.store)
    yield history
    history.close()


@pytest.fixture
def enter(registry: Registry) -> Callable[[Path, Modality], Version]:
    """Registers a folder, as challenger."""
    run = Run(figures=GATE)
    return lambda folder, modality: register(registry, folder, modality=modality, run=run, max_bytes=10_000_000)


@pytest.fixture
def scores(tmp_path: Path, base: Path, registry: Registry, enter: Callable[[Path, Modality], Version]) -> list[float]:
    """Text 1 is champion, text 2 and video 1 are challengers; what the two texts say of the first caption."""
    folders = [save_text(tmp_path / f"text-{number}", seed=number) for number in (1, 2)]
    champion = enter(folders[0], Modality.TEXT)
    promote(registry, champion, base=base, cache=tmp_path / "promote", now=NOW)
    enter(folders[1], Modality.TEXT)
    enter(save_video(tmp_path / "video", seed=1), Modality.VIDEO)
    return [expected(base, folder, number)[0] for number, folder in enumerate(folders, 1)]


def test_challengers_score_in_shadow_while_the_champion_alone_answers(
    scores: list[float], worker_env: dict[str, str], registry_platform: Platform, store: TimescaleHistory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    told: list[Shadow] = []
    bind = worker_env["CLIPWARDEN_SERVING__BIND"]
    with worker_process(worker_env), client_of(bind, on_shadow=told.append) as client:
        client.served()
        posts = _Posts(client, told)
        until(lambda: posts.post() == {"text:2", "video:1"}, within_s=WAIT_S)

    one, two = scores
    assert {(version, round(score, 3)) for version, score in posts.answers} == {("text:1", round(one, 3))}
    text = [shadow for shadow in told if shadow.modality is Modality.TEXT]
    assert {shadow.challenger for shadow in text} == {"text:2"}
    for shadow in text:
        assert shadow.champion_scores["harmful"] == pytest.approx(one, abs=1e-4)
        assert shadow.challenger_scores["harmful"] == pytest.approx(two, abs=1e-4)

    log = ShadowLog(store, policy=lambda: PolicyFile().policy).start()
    for shadow in (*told, *told):
        log.put(shadow)
    log.close()
    for name, value in registry_platform.env.items():
        monkeypatch.setenv(name, value)
    printed = CliRunner().invoke(app, ["shadow", "--json"], catch_exceptions=False)
    rows = {row["challenger"]: row for row in json.loads(printed.stdout)["shadow"]}
    assert (set(rows), rows["text:2"]["champion"]) == ({"text:2", "video:1"}, "text:1")
    assert rows["text:2"]["sampled"] == len(text)
    assert rows["text:2"]["mean_difference"] == pytest.approx(abs(one - two), abs=1e-4)


def test_a_damaged_challenger_is_refused_and_told_of_while_the_others_and_the_champion_go_on(
    scores: list[float], worker_env: dict[str, str], registry_platform: Platform, registry: Registry, tmp_path: Path,
    enter: Callable[[Path, Modality], Version], free_port: int,
) -> None:  # fmt: skip
    told: list[Shadow] = []
    bind = worker_env["CLIPWARDEN_SERVING__BIND"]
    damaged = enter(save_text(tmp_path / "text-3", seed=3), Modality.TEXT)
    registry._client.log_artifact(damaged.run_id, str(tmp_path / "text-1" / "model.safetensors"), "model")

    with worker_process(worker_env), client_of(bind, on_shadow=told.append) as client:
        client.served()
        posts = _Posts(client, told)
        until(lambda: posts.post() == {"video:1"}, within_s=WAIT_S)
        assert "refused challenger text:3: its weights' sha256" in str(readiness(free_port))
        enter(tmp_path / "text-2", Modality.TEXT)
        ring(registry_platform.settings.redis, "text")
        until(lambda: posts.post() == {"video:1", "text:4"}, within_s=WAIT_S)
        until(lambda: "refused challenger" not in str(readiness(free_port)))

    assert {(version, round(score, 3)) for version, score in posts.answers} == {("text:1", round(scores[0], 3))}
