"""Probabilities and truth → the figures of one set, for the rows as they are or under resampling weights."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError

PRECISION_FLOOR = 0.9
"""Where recall is read off the precision-recall curve: nine of ten alerts are right."""

Draws = Mapping[str, NDArray[np.float64]]
"""Figure → (B,) values, one per row of weights; NaN where a resample holds one class only."""


@dataclass(frozen=True)
class Figure:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Figures:
    """How well probabilities tell harmful from safe.

    The first five depend on the threshold, the last four do not.

    Attributes:
        macro_f1: mean of the F1 of harmful and of safe.
        ap: average precision: the sum over distinct probabilities of precision times the gain in recall.
        recall_at_precision: the most recall at any cut whose precision is PRECISION_FLOOR or more; 0 where none is.
            The cut is chosen on these very rows, so it says what is possible, not what a fixed threshold gives.
        brier: mean squared distance between probability and truth; less is better.
    """

    macro_f1: Figure
    harmful_f1: Figure
    precision: Figure
    recall: Figure
    accuracy: Figure
    ap: Figure
    auc: Figure
    recall_at_precision: Figure
    brier: Figure


@dataclass(frozen=True)
class Answers:
    """What a model said about a set's rows: (N,) probabilities of harm, and where it cuts (harmful from there up)."""

    probabilities: NDArray[np.float64]
    threshold: float


def check_scores(truth: NDArray[np.bool_], answers: Answers) -> None:
    """Refuse what no figure can be made of.

    Raises:
        ConfigError: no rows, one class only, or a score that is no probability.
    """
    if len(truth) != len(answers.probabilities):
        raise ConfigError(f"{len(truth)} labels for {len(answers.probabilities)} scores; score every labelled row once")
    if len(truth) == 0:
        raise ConfigError("no rows to evaluate; name a split that has some")
    if truth.all() or not truth.any():
        only = "harmful" if truth.all() else "safe"
        raise ConfigError(f"all {len(truth)} rows are {only}; figures need both harmful and safe rows")
    is_wrong = ~((answers.probabilities >= 0) & (answers.probabilities <= 1))
    if is_wrong.any():
        raise ConfigError(f"{int(is_wrong.sum())} of {len(truth)} scores are no probability; the model is broken")
    if not 0 <= answers.threshold <= 1:
        raise ConfigError(f"threshold {answers.threshold} is no probability; correct the model's config")


class Ranking:
    """A set's rows, most suspicious first: everything that resampling need not do again."""

    def __init__(self, truth: NDArray[np.bool_], answers: Answers) -> None:
        self._order = np.argsort(-answers.probabilities, kind="stable")
        ranked = answers.probabilities[self._order]
        self._truth = truth[self._order].astype(np.float64)
        # The last row of each run of equal probabilities: no cut falls between equals.
        self._ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], values=True))
        self._flagged = int((ranked >= answers.threshold).sum())
        self._squared_error = (ranked - self._truth) ** 2

    def measure(self, weights: NDArray[np.float64]) -> Draws:
        """Every figure under each row of (B, N) weights, columns in the order of the set."""
        ranked = weights[:, self._order]
        harmful, every = np.cumsum(ranked * self._truth, axis=1), np.cumsum(ranked, axis=1)
        brier = (ranked @ self._squared_error) / every[:, -1]
        with np.errstate(invalid="ignore", divide="ignore"):
            return {**self._at_threshold(harmful, every), **self._over_cuts(harmful, every), "brier": brier}

    def curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Recall and precision at every cut, from the strictest on."""
        found = np.cumsum(self._truth)[self._ends]
        return found / self._truth.sum(), found / (self._ends + 1.0)

    def _at_threshold(self, harmful: NDArray[np.float64], every: NDArray[np.float64]) -> Draws:
        zeros = np.zeros(len(harmful))
        hits = harmful[:, self._flagged - 1] if self._flagged else zeros
        alarms = every[:, self._flagged - 1] if self._flagged else zeros
        all_harmful, n = harmful[:, -1], every[:, -1]
        left_alone = n - alarms - all_harmful + hits
        harmful_f1 = _share(2 * hits, alarms + all_harmful)
        safe_f1 = _share(2 * left_alone, (n - alarms) + (n - all_harmful))
        return {
            "macro_f1": (harmful_f1 + safe_f1) / 2,
            "harmful_f1": harmful_f1,
            "precision": _share(hits, alarms),
            "recall": hits / all_harmful,
            "accuracy": (hits + left_alone) / n,
        }

    def _over_cuts(self, harmful: NDArray[np.float64], every: NDArray[np.float64]) -> Draws:
        found, shown = harmful[:, self._ends], every[:, self._ends]
        gained = np.diff(found, axis=1, prepend=0.0)
        alarms = np.diff(shown, axis=1, prepend=0.0) - gained
        precision = _share(found, shown)
        all_harmful = harmful[:, -1]
        all_safe = every[:, -1] - all_harmful
        # A safe row loses against every harmful one above it, and half against its equals.
        above = found - gained / 2
        return {
            "ap": (gained * precision).sum(axis=1) / all_harmful,
            "auc": (alarms * above).sum(axis=1) / (all_harmful * all_safe),
            "recall_at_precision": np.where(precision >= PRECISION_FLOOR, found, 0.0).max(axis=1) / all_harmful,
        }


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Part of whole, 0 of nothing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
