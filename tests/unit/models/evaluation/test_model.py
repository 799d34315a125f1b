import json
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ConfigError
from core.labels import Modality
from models.bundle import STARTER
from models.evaluation.model import load_model


def test_a_starter_model_is_found_by_its_name() -> None:
    model = load_model("text")

    assert model.folder == STARTER / "text"
    assert model.modality is Modality.TEXT
    assert model.name.startswith("text:")
    assert model.threshold == model.loaded.config.thresholds["harmful"]


def test_a_folder_is_found_by_its_path() -> None:
    assert load_model(STARTER / "fusion").modality is Modality.FUSION


@pytest.mark.parametrize("name", ["nothing-here", "starter", "/dev/null"])
def test_what_is_no_model_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"is no model's folder .* text, video, fusion"):
        load_model(name)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", "architectures": ["BertForMaskedLM"]}))

    with pytest.raises(ConfigError, match="holds a bert model"):
        load_model(tmp_path)


def test_calibration_can_be_taken_off() -> None:
    model = load_model("text")
    config = model.loaded.config
    logits = np.array([-2.0, 0.0, 3.0])
    calibrated = model.loaded.network.calibrated(torch.from_numpy(logits)).numpy()
    served = 1 / (1 + np.exp(-calibrated))

    found = model.uncalibrated(served)

    assert config.calibration_below != config.calibration_temperature
    assert found is not None
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)))
