"""A model's name or folder → its network, where it cuts, how it was calibrated."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError
from core.labels import HARMFUL_LABEL, Modality
from models.bundle import STARTER
from models.networks.loading import Loaded, load_fusion, load_text, load_video

_SAFE_LABEL = "safe"
_DEFAULT_THRESHOLD = 0.5
_SURE = 1e-7
_LOADERS = {Modality.TEXT: load_text, Modality.VIDEO: load_video, Modality.FUSION: load_fusion}
_OWN = "clipwarden-"
"""Own model types begin so and end with their modality."""
_FOREIGN = {"ForSequenceClassification": Modality.TEXT, "ForVideoClassification": Modality.VIDEO}
"""What the name of an architecture ends with → modality."""


@dataclass(frozen=True)
class Model:
    """A loaded model of one modality."""

    folder: Path
    modality: Modality
    loaded: Loaded[Any]

    @property
    def name(self) -> str:
        """As in `model_version`, e.g. `text:starter-1`."""
        return f"{self.modality.value}:{self.loaded.version}"

    @property
    def threshold(self) -> float:
        """Where its own validation cut harm; one half for a checkpoint that does not say."""
        thresholds = getattr(self.loaded.config, "thresholds", None) or {}
        return float(thresholds.get(HARMFUL_LABEL, _DEFAULT_THRESHOLD))

    @property
    def temperature(self) -> float:
        """1 for a checkpoint that was not calibrated."""
        return float(getattr(self.loaded.config, "calibration_temperature", 1.0))

    @property
    def bias(self) -> float:
        """Added to the logit before it is divided by the temperature."""
        return float(getattr(self.loaded.config, "calibration_bias", 0.0))

    @property
    def _below(self) -> float:
        """What the logit is divided by below the cut, where that is another number than above it."""
        return float(getattr(self.loaded.config, "calibration_below", self.temperature))

    def harm(self, probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, L) as served → (N,) of `harmful`; of models without that label, their likeliest kind of harm."""
        labels = self.loaded.labels
        if HARMFUL_LABEL in labels:
            return probabilities[:, labels.index(HARMFUL_LABEL)].astype(np.float64)
        kinds = [column for column, label in enumerate(labels) if label != _SAFE_LABEL]
        harm: NDArray[np.float64] = probabilities[:, kinds].max(axis=1).astype(np.float64)
        return harm

    def uncalibrated(self, harm: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """What the network would say without its temperature and bias; None where it has none."""
        if math.isclose(self.temperature, 1.0) and math.isclose(self._below, 1.0) and self.bias == 0.0:
            return None
        clipped = np.clip(harm, _SURE, 1 - _SURE)
        logit = np.log(clipped / (1 - clipped))
        raw = logit * np.where(logit > 0, self.temperature, self._below) - self.bias
        return np.asarray(1 / (1 + np.exp(-raw)))


def load_model(name: str | Path) -> Model:
    """Load a model's folder, or a starter model by its name: text, video or fusion.

    Raises:
        ConfigError: there is no such model, or it cannot be served.
    """
    folder = Path(name)
    if not (folder / "config.json").is_file() and str(name) in set(Modality):
        folder = STARTER / str(name)
    modality = _modality(folder)
    return Model(folder, modality, _LOADERS[modality](folder))


def _modality(folder: Path) -> Modality:
    try:
        config = json.loads((folder / "config.json").read_bytes())
        kind, architectures = str(config.get("model_type")), config.get("architectures") or []
    except (OSError, ValueError, AttributeError) as error:
        names = ", ".join(Modality)
        raise ConfigError(
            f"{folder} is no model's folder (no readable config.json); name one, or a starter model: {names}"
        ) from error
    own = [modality for modality in Modality if kind.startswith(_OWN) and kind.endswith(modality)]
    foreign = [_FOREIGN[ending] for name in architectures for ending in _FOREIGN if str(name).endswith(ending)]
    if not own + foreign:
        raise ConfigError(f"{folder} holds a {kind} model, neither text, video nor fusion; name another folder")
    return (own + foreign)[0]
