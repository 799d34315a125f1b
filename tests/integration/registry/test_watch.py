"""The watch against a real registry: what it takes over, what it refuses, what it goes back to."""

import json
import queue
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.health import Health
from core.labels import Modality
from core.settings import MlflowSettings, ServingSettings
from models.bundle import STARTER
from models.promotion import register
from models.registry import CHAMPION, Registry, Run, Version
from models.serving.job import Engine
from models.serving.lineup import Lineup
from models.serving.load import load_engine
from models.serving.watch import Watch
from tests.fixtures.registry import save_text, save_video

pytestmark = pytest.mark.integration

MakeWatch = Callable[[MlflowSettings], Watch]


class _Worker:
    """Swaps at once."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.given_up: queue.SimpleQueue[Engine] = queue.SimpleQueue()

    def swap(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def version(self) -> str:
        return self.engine.served.model_version


class _SilentBell:
    def wait(self, timeout_s: float) -> bool:
        raise AssertionError(timeout_s)


@pytest.fixture
def watch_of(base: Path) -> MakeWatch:
    serving = ServingSettings(models_dir=base, device="cpu", precision="fp32", threads=1)

    def make(settings: MlflowSettings) -> Watch:
        load = partial(load_engine, serving)
        return Watch(settings, base=Lineup(base), load=load, bell=_SilentBell(), health=Health())

    return make


def enter(registry: Registry, folder: Path, modality: Modality = Modality.TEXT) -> Version:
    version = register(registry, folder, modality=modality, run=Run(), max_bytes=100_000_000)
    registry.promote(version)
    return version


def enter_unchecked(registry: Registry, folder: Path, modality: Modality = Modality.TEXT) -> Version:
    """As somebody would who does not use the product's own command."""
    version = registry.register(folder, modality=modality, run=Run())
    registry.promote(version)
    return version


def test_champions_are_taken_over_and_rolled_back_without_a_second_load(
    registry: Registry, registry_settings: MlflowSettings, tmp_path: Path, watch_of: MakeWatch
) -> None:
    watch = watch_of(registry_settings)
    worker = _Worker(watch.first())
    assert worker.version.startswith("text:s0|video:")

    enter(registry, save_text(tmp_path / "one", seed=1))
    watch.look(worker)
    first = worker.engine
    assert worker.version.startswith("text:1|video:")

    enter(registry, save_text(tmp_path / "two", seed=2, max_tokens=64))
    watch.look(worker)
    assert (worker.version.startswith("text:2|"), worker.engine.served.max_tokens) == (True, 64)

    registry.roll_back(Modality.TEXT)
    watch.look(worker)
    assert worker.engine is first
    assert watch.problem == ""


def test_a_worker_starts_with_what_served_last_while_the_registry_is_away(
    registry: Registry, registry_settings: MlflowSettings, tmp_path: Path, watch_of: MakeWatch
) -> None:
    enter(registry, save_text(tmp_path / "one", seed=1))
    watch_of(registry_settings).first()
    away = registry_settings.model_copy(update={"tracking_uri": "http://127.0.0.1:1"})

    watch = watch_of(away)

    assert watch.first().served.model_version.startswith("text:1|")
    assert "registry.unavailable" in watch.problem
    next((registry_settings.cache_dir / "text").glob("1-*/config.json")).write_text("{}")
    assert watch_of(away).first().served.model_version.startswith("text:s0|")


def _spoil(change: Callable[[dict[str, torch.Tensor]], None]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors", {"format": "pt"})

    return spoil


def _set_config(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def _one_nan(weights: dict[str, torch.Tensor]) -> None:
    # In one row of many: no known input reads it.
    weights["ngrams.table.weight"][777, 3] = float("nan")


def _other_shape(weights: dict[str, torch.Tensor]) -> None:
    weights["ngrams.table.weight"] = torch.zeros(4, 8)


def _cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-500])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_spoil(_one_nan), "ngrams.table.weight are not finite"),
        (_spoil(_other_shape), "cannot be served"),
        (_cut, "cannot be served"),
        (lambda folder: _set_config(folder, rows=1 << 34), "text:1: "),
    ],
    ids=["nan", "shape", "cut", "huge"],
)
def test_a_model_that_must_not_serve_is_refused_and_reported(
    registry: Registry,
    registry_settings: MlflowSettings,
    tmp_path: Path,
    watch_of: MakeWatch,
    spoil: Callable[[Path], None],
    says: str,
) -> None:
    watch = watch_of(registry_settings)
    worker = _Worker(watch.first())
    before = worker.engine
    folder = save_text(tmp_path / "bad", seed=1)
    spoil(folder)
    enter_unchecked(registry, folder)

    watch.look(worker)

    assert worker.engine is before
    assert "refused text:1: " in watch.problem
    assert says in watch.problem


def test_files_changed_in_the_store_are_refused_and_the_other_model_is_taken_over(
    registry: Registry, registry_settings: MlflowSettings, tmp_path: Path, watch_of: MakeWatch
) -> None:
    watch = watch_of(registry_settings)
    worker = _Worker(watch.first())
    version = enter(registry, save_text(tmp_path / "one", seed=1))
    enter(registry, save_video(tmp_path / "clip", seed=1, num_frames=8), Modality.VIDEO)
    evil = save_text(tmp_path / "two", seed=2)
    registry._client.log_artifact(version.run_id, str(evil / "model.safetensors"), "model")

    watch.look(worker)

    assert worker.version == "text:s0|video:1|fusion:-"
    assert worker.engine.served.clip.num_frames == 8
    assert "sha256" in watch.problem


def test_a_pickle_slipped_into_the_store_is_not_even_downloaded(
    registry: Registry, registry_settings: MlflowSettings, tmp_path: Path, watch_of: MakeWatch
) -> None:
    watch = watch_of(registry_settings)
    worker = _Worker(watch.first())
    version = enter(registry, save_text(tmp_path / "one", seed=1))
    (tmp_path / "training_args.bin").write_bytes(b"\x80\x04.")
    registry._client.log_artifact(version.run_id, str(tmp_path / "training_args.bin"), "model")

    watch.look(worker)

    assert worker.version.startswith("text:s0|")
    assert "training_args.bin" in watch.problem
    assert not list(registry_settings.cache_dir.rglob("*.bin"))
    good = enter(registry, save_text(tmp_path / "good", seed=2))
    watch.look(worker)
    assert worker.version.startswith(f"text:{good.number}|")
    assert watch.problem == ""


def test_what_the_worker_gave_up_is_not_taken_over_again(
    registry: Registry, registry_settings: MlflowSettings, tmp_path: Path, watch_of: MakeWatch
) -> None:
    watch = watch_of(registry_settings)
    worker = _Worker(watch.first())
    before = worker.engine
    version = enter(registry, save_text(tmp_path / "one", seed=1))
    watch.look(worker)
    worker.given_up.put(worker.engine)
    worker.engine = before

    watch._note_given_up(worker)
    watch.look(worker)

    assert registry.aliases(Modality.TEXT)[CHAMPION] == version.number
    assert worker.engine is before
    assert "failed on known inputs" in watch.problem


@pytest.mark.skipif(not STARTER.is_dir(), reason="no starter models")
def test_fusion_decides_as_champion_and_is_left_out_beside_another_text_model(
    registry: Registry, registry_settings: MlflowSettings, tmp_path: Path, watch_of: MakeWatch
) -> None:
    for modality in Modality:
        enter(registry, STARTER / modality, modality)
    watch = watch_of(registry_settings)
    worker = _Worker(watch.first())
    assert (worker.version, worker.engine.served.fusion_passed_gate) == ("text:1|video:1|fusion:1", True)

    enter(registry, save_text(tmp_path / "other", seed=1))
    watch.look(worker)

    assert (worker.version, worker.engine.served.fusion_passed_gate) == ("text:2|video:1|fusion:-", False)
