"""Probabilities and truth → the figures of a model card, the calibration and the thresholds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from models.networks.config import OwnConfig

_NEIGHBOURS = 5


@dataclass(frozen=True)
class Figures:
    """How well probabilities tell harmful from safe at a threshold.

    Attributes:
        auc: area under the ROC curve; `ap`: average precision. NaN where only one class is there.
    """

    n: int
    harmful: int
    threshold: float
    accuracy: float
    macro_f1: float
    harmful_f1: float
    ap: float
    auc: float


def measure(truth: NDArray[np.bool_], probabilities: NDArray[np.floating], threshold: float) -> Figures:
    """Figures of (N,) probabilities against (N,) truth."""
    said = probabilities >= threshold
    has_both = 0 < truth.sum() < len(truth)
    return Figures(
        n=len(truth),
        harmful=int(truth.sum()),
        threshold=threshold,
        accuracy=float((said == truth).mean()),
        macro_f1=float(f1_score(truth, said, average="macro", zero_division=0)),
        harmful_f1=float(f1_score(truth, said, zero_division=0)),
        ap=float(average_precision_score(truth, probabilities)) if has_both else float("nan"),
        auc=float(roc_auc_score(truth, probabilities)) if has_both else float("nan"),
    )


def best_threshold(truth: NDArray[np.bool_], probabilities: NDArray[np.floating], *, average: str = "binary") -> float:
    """Where F1 (of the positive class, or "macro") is best on the average of its neighbourhood.

    A single cut's lead over its neighbours is luck that another split does not repeat.
    """
    cuts = np.arange(0.02, 0.985, 0.01)
    scores = [f1_score(truth, probabilities >= cut, average=average, zero_division=0) for cut in cuts]
    smooth = np.convolve(np.pad(scores, _NEIGHBOURS, mode="edge"), np.ones(2 * _NEIGHBOURS + 1), mode="valid")
    return round(float(cuts[smooth.argmax()]), 2)


def calibrate(config: OwnConfig, truth: NDArray[np.bool_], logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Set the temperature of least log loss, and the bias that puts the cut of the best macro-F1 at 0.5.

    Returns:
        (N,) probabilities of the logits under it.
    """
    scale(config, truth, logits)
    cut = best_threshold(truth, calibrated(config, logits), average="macro")
    config.calibration_bias -= config.calibration_temperature * float(np.log(cut / (1 - cut)))
    return calibrated(config, logits)


def scale(config: OwnConfig, truth: NDArray[np.bool_], logits: NDArray[np.floating]) -> None:
    """Set the temperature and bias of least log loss: probabilities that are shares, wherever the best cut is."""
    line = LogisticRegression(C=np.inf).fit(logits.reshape(-1, 1), truth)
    slope, intercept = float(line.coef_[0, 0]), float(line.intercept_[0])
    config.calibration_temperature, config.calibration_bias = 1 / slope, intercept / slope


def calibrated(config: OwnConfig, logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) logits as the network turns them into probabilities."""
    scaled = (logits.astype(np.float64) + config.calibration_bias) / config.calibration_temperature
    return np.asarray(1 / (1 + np.exp(-scaled)))


def log_loss(truth: NDArray[np.bool_], logits: NDArray[np.floating]) -> float:
    """Mean log loss of (N,) logits."""
    return float(np.mean(np.logaddexp(0, np.where(truth, -logits, logits))))
