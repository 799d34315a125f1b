"""The registry against MLflow's real server: what is logged, what comes back, who is champion."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import ConfigError, ModelRefused, RegistryUnavailable
from core.labels import Modality
from core.settings import MlflowSettings
from models.promotion import LOOKS, promote, register
from models.registry import CHALLENGER, CHAMPION, Registry, Run, Version
from operations.embedded.s3 import MODELS_BUCKET
from operations.state import Paths
from tests.fixtures.platform import Platform
from tests.fixtures.registry import GATE, save_text

pytestmark = pytest.mark.integration

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MAX_BYTES = 10_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_text(tmp_path / "text")


def enter(registry: Registry, folder: Path, **run: object) -> Version:
    return register(registry, folder, modality=Modality.TEXT, run=Run(**run), max_bytes=MAX_BYTES)


def test_a_version_comes_back_with_its_run_its_files_and_its_golden_outputs(
    registry: Registry, folder: Path, tmp_path: Path, registry_platform: Platform
) -> None:
    curves = {"loss": [1.0, 0.5]}
    version = enter(registry, folder, figures=GATE, parameters={"lr": 0.1}, curves=curves, git_commit="abc")

    fetched = registry.fetch(version, tmp_path / "cache")

    assert {path.name for path in fetched.iterdir()} == {path.name for path in folder.iterdir()} | {"golden.json"}
    assert (fetched / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert version.measured.figures.items() >= GATE.items()
    assert version.aliases == (CHALLENGER,)
    run = registry._client.get_run(version.run_id).data
    assert (run.params, run.tags["git_commit"]) == ({"lr": "0.1"}, "abc")
    assert [point.value for point in registry._client.get_metric_history(version.run_id, "loss")] == curves["loss"]
    stored = Paths(registry_platform.root).data / "s3" / MODELS_BUCKET
    assert list(stored.rglob("model.safetensors"))


def test_promotions_are_rolled_back_one_by_one_to_the_products_own_model(registry: Registry, folder: Path) -> None:
    first, second = enter(registry, folder), enter(registry, folder)
    registry.promote(first)
    registry.promote(second)
    assert registry.aliases(Modality.TEXT) == {CHAMPION: second.number}

    assert registry.roll_back(Modality.TEXT) == first.number
    assert registry.roll_back(Modality.TEXT) is None
    assert registry.champion(Modality.TEXT) is None
    with pytest.raises(ConfigError, match="no champion"):
        registry.roll_back(Modality.TEXT)


def test_a_worse_model_is_refused_and_the_look_is_noted(registry: Registry, folder: Path, tmp_path: Path) -> None:
    good, worse = (enter(registry, folder, figures={"gate.macro_f1": value}) for value in (0.82, 0.80))
    gate = {"base": tmp_path, "cache": tmp_path / "cache", "now": NOW}
    promote(registry, good, **gate)

    with pytest.raises(ModelRefused, match=r"the champion's 0\.8200: 0\.0200 worse"):
        promote(registry, worse, **gate)

    assert registry.aliases(Modality.TEXT)[CHAMPION] == good.number
    assert "worse" in registry.version(Modality.TEXT, worse.number).tags[LOOKS]
    assert "passed" in registry.version(Modality.TEXT, good.number).tags[LOOKS]


def test_a_folder_with_a_pickle_is_not_registered(registry: Registry, folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")

    with pytest.raises(ModelRefused, match="pytorch_model"):
        enter(registry, folder)

    assert registry.versions(Modality.TEXT) == []


def test_a_download_that_was_changed_on_disk_is_fetched_again(registry: Registry, folder: Path, tmp_path: Path) -> None:
    version = enter(registry, folder)
    fetched = registry.fetch(version, tmp_path / "cache")
    (fetched / "model.safetensors").write_bytes(b"changed")

    again = registry.fetch(version, tmp_path / "cache")

    assert (again / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def test_a_version_without_digests_or_with_others_is_refused(registry: Registry, folder: Path, tmp_path: Path) -> None:
    version = enter(registry, folder)
    registry._client.set_model_version_tag("text", str(version.number), "sha256", "0" * 64)
    with pytest.raises(ModelRefused, match="its weights' sha256"):
        registry.fetch(registry.version(Modality.TEXT, version.number), tmp_path / "cache")

    registry._client.delete_model_version_tag("text", str(version.number), "sha256")
    with pytest.raises(ModelRefused, match="no digests"):
        registry.fetch(registry.version(Modality.TEXT, version.number), tmp_path / "cache")


def test_a_registry_that_is_away_is_one_short_line() -> None:
    with pytest.raises(RegistryUnavailable) as info:
        Registry(MlflowSettings(tracking_uri="http://127.0.0.1:1")).champion(Modality.TEXT)

    assert len(str(info.value)) < 160
    assert "\n" not in str(info.value)


def test_a_version_that_is_not_there_is_a_wrong_usage(registry: Registry) -> None:
    with pytest.raises(ConfigError, match="there is no text 7"):
        registry.version(Modality.TEXT, 7)
