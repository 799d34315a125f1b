"""Two models on the same rows: the paired bootstrap of the difference, and McNemar's exact test of the decisions."""

from dataclasses import dataclass
from enum import StrEnum
from math import comb

import numpy as np
from numpy.typing import NDArray

from models.evaluation.bootstrap import Resampling, draw_weights, interval
from models.evaluation.figures import Answers, Ranking, check_scores


class Outcome(StrEnum):
    """What a comparison says of the first model."""

    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "not told apart"


@dataclass(frozen=True)
class Difference:
    """First model less second, its 95 % interval, and how often, on two sides, chance alone gives as much."""

    value: float
    low: float
    high: float
    p: float

    @property
    def outcome(self) -> Outcome:
        """What the interval says."""
        if self.low > 0:
            return Outcome.BETTER
        return Outcome.WORSE if self.high < 0 else Outcome.UNDECIDED


@dataclass(frozen=True)
class Comparison:
    """One model less another on the same rows.

    Attributes:
        only_first_right: rows where only the first model decided right; `only_second_right`: only the other.
        mcnemar_p: exact two-sided probability of such a split, were both equally often right. It takes rows as
            independent; where they are not (clips of one camera), the differences are the better guide.
    """

    ap: Difference
    macro_f1: Difference
    only_first_right: int
    only_second_right: int
    mcnemar_p: float


def compare_scores(
    truth: NDArray[np.bool_], first: Answers, second: Answers, *, resampling: Resampling | None = None
) -> Comparison:
    """Compare two models' answers about the same rows; both see the same resamples.

    Raises:
        ConfigError: see `check_scores`.
    """
    for answers in (first, second):
        check_scores(truth, answers)
    rankings = Ranking(truth, first), Ranking(truth, second)
    values = _differences(rankings, np.ones((1, len(truth))))
    parts = [_differences(rankings, weights) for weights in draw_weights(len(truth), resampling or Resampling())]
    ap, macro_f1 = (_difference(float(values[row, 0]), np.concatenate([part[row] for part in parts])) for row in (0, 1))
    is_right = [(answers.probabilities >= answers.threshold) == truth for answers in (first, second)]
    only_first, only_second = int((is_right[0] & ~is_right[1]).sum()), int((is_right[1] & ~is_right[0]).sum())
    return Comparison(ap, macro_f1, only_first, only_second, mcnemar(only_first, only_second))


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact binomial probability of a split at least as uneven."""
    n, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(comb(n, k) for k in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**n))


def _differences(rankings: tuple[Ranking, Ranking], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, B): of AP and of macro-F1."""
    first, second = (ranking.measure(weights) for ranking in rankings)
    return np.stack([first[name] - second[name] for name in ("ap", "macro_f1")])


def _difference(value: float, draws: NDArray[np.float64]) -> Difference:
    known = draws[~np.isnan(draws)]
    # One more than counted, of one more than drawn: no finite number of draws proves a probability of 0.
    fewer = min(int((known <= 0).sum()), int((known >= 0).sum()))
    return Difference(value, *interval(known), p=min(1.0, 2 * (fewer + 1) / (len(known) + 1)))
