"""`clipwarden models register | show | promote | rollback | list` against the embedded registry."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.errors import ConfigError, ModelRefused
from core.labels import Modality
from models.bundle import STARTER
from models.networks.loading import fingerprint
from models.registry import Registry
from operations.commands.models import app
from tests.fixtures.platform import Platform
from tests.fixtures.registry import save_text

pytestmark = pytest.mark.integration


def clipwarden_models(*arguments: str) -> dict[str, object]:
    """What a command printed with --json."""
    result = CliRunner().invoke(app, [*arguments, "--json"], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    answer: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return answer


@pytest.fixture
def environment(
    registry_platform: Platform, registry: Registry, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Registry:
    """This process's environment, as a user's is who works with that registry."""
    own = {"CLIPWARDEN_SERVING__MODELS_DIR": str(base), "CLIPWARDEN_MLFLOW__CACHE_DIR": str(tmp_path / "promoted")}
    for name, value in {**registry_platform.env, **own}.items():
        monkeypatch.setenv(name, value)
    return registry


def _evaluated(folder: Path, value: float, **changes: str) -> Path:
    figures = {"macro_f1": {"value": value, "low": value - 0.02, "high": value + 0.02}}
    report = {"split": "gate", "fingerprint": fingerprint(folder), "sets": {"all": {"n": 400, "figures": figures}}}
    path = folder.with_suffix(".json")
    path.write_text(json.dumps(report | changes))
    return path


def test_a_model_is_registered_promoted_past_its_gate_only_and_rolled_back(
    environment: Registry, tmp_path: Path
) -> None:
    good, worse = save_text(tmp_path / "good", seed=1), save_text(tmp_path / "worse", seed=2)
    for folder, value in ((good, 0.82), (worse, 0.76)):
        clipwarden_models("register", str(folder), "--name", "text", "--evaluation", str(_evaluated(folder, value)))

    assert clipwarden_models("promote", "text", "1")["aliases"] == ["champion"]
    with pytest.raises(ModelRefused, match=r"0\.0600 worse"):
        clipwarden_models("promote", "text", "2")

    shown = clipwarden_models("show", "text", "2")
    assert (shown["aliases"], shown["measured"]) == (
        ["challenger"],
        {"figures": {"gate.macro_f1": 0.76, "gate.n": 400.0}, "data_sha256": ""},
    )
    listed = clipwarden_models("list")["registered"]
    assert isinstance(listed, list)
    assert [(row["modality"], row["number"]) for row in listed] == [("text", 2), ("text", 1)]
    assert clipwarden_models("rollback", "text") == {"name": "text", "champion": None}
    assert environment.champion(Modality.TEXT) is None


def test_a_model_that_lacks_a_label_of_the_policy_is_not_promoted(
    environment: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIPWARDEN_SERVING__MODELS_DIR", str(STARTER))
    folder = save_text(tmp_path / "text", labels=("harmful",))
    clipwarden_models("register", str(folder), "--name", "text", "--evaluation", str(_evaluated(folder, 0.9)))

    with pytest.raises(ModelRefused, match="the policy declares label 'harassment'"):
        clipwarden_models("promote", "text", "1")

    assert environment.champion(Modality.TEXT) is None


def test_figures_of_other_weights_are_refused(environment: Registry, tmp_path: Path) -> None:
    folder = save_text(tmp_path / "text", seed=1)
    evaluation = _evaluated(folder, 0.9, fingerprint="0" * 16)

    with pytest.raises(ConfigError, match="other weights"):
        clipwarden_models("register", str(folder), "--name", "text", "--evaluation", str(evaluation))

    assert environment.versions(Modality.TEXT) == []
