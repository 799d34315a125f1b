"""Simpler ways than fusion to decide over two modalities, each fitted on the validation pairs that fusion had."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.figures import Answers
from models.training.evaluate import best_threshold, measure

_SHARES = np.round(np.arange(11) / 10, 1)
Mix = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class LateFusion:
    """A fitted way to mix the two probabilities: `mix(text, video)`, and where it cuts."""

    name: str
    mix: Mix
    threshold: float

    def answer(self, text: NDArray[np.float64], video: NDArray[np.float64]) -> Answers:
        """What it says about pairs."""
        return Answers(self.mix(text, video), self.threshold)


def fit_late_fusions(
    truth: NDArray[np.bool_], text: NDArray[np.float64], video: NDArray[np.float64]
) -> tuple[LateFusion, LateFusion]:
    """The weighted mean and the noisy or of the best macro-F1 on these pairs.

    The weighted mean is how a policy decides without fusion; the noisy or is what "harmful when either part is" asks
    of two independent probabilities.
    """
    means = [_fit(f"late score, {share:g} text", _mean(float(share)), truth, (text, video)) for share in _SHARES]
    best, _ = max(means, key=lambda fitted: fitted[1])
    either, _ = _fit("either, 1-(1-t)(1-v)", _either, truth, (text, video))
    return best, either


def _fit(
    name: str, mix: Mix, truth: NDArray[np.bool_], parts: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> tuple[LateFusion, float]:
    mixed = mix(*parts)
    cut = best_threshold(truth, mixed, average="macro")
    return LateFusion(name, mix, cut), measure(truth, mixed, cut).macro_f1


def _mean(text_share: float) -> Mix:
    return lambda text, video: text_share * text + (1 - text_share) * video


def _either(text: NDArray[np.float64], video: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 - (1 - text) * (1 - video)
