import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest  # type: ignore[import-untyped]  # ships no types

from core.errors import ConfigError
from models.evaluation.bootstrap import Resampling, units_of
from models.evaluation.compare import Outcome, compare_scores, mcnemar
from models.evaluation.figures import Answers

RNG_SEED = 5


def answers(truth: NDArray[np.bool_], rng: np.random.Generator, *, noise: float) -> Answers:
    return Answers(np.clip(rng.normal(np.where(truth, 0.6, 0.4), noise), 0, 1), 0.5)


def test_a_worse_model_is_told_apart() -> None:
    rng = np.random.default_rng(RNG_SEED)
    truth = rng.random(1_500) < 0.3
    good, bad = answers(truth, rng, noise=0.15), answers(truth, rng, noise=0.4)

    found, mirrored = compare_scores(truth, bad, good), compare_scores(truth, good, bad)

    assert (found.ap.outcome, found.macro_f1.outcome) == (Outcome.WORSE, Outcome.WORSE)
    assert mirrored.ap.outcome is Outcome.BETTER
    assert mirrored.ap.value == pytest.approx(-found.ap.value)
    assert found.mcnemar_p < 0.001
    assert found.ap.p < 0.01


def test_equal_models_are_told_apart_about_one_time_in_twenty() -> None:
    rng = np.random.default_rng(RNG_SEED)
    apart = 0
    for _ in range(60):
        truth = rng.random(300) < 0.3
        pair = [answers(truth, rng, noise=0.2) for _ in range(2)]
        found = compare_scores(truth, *pair, resampling=Resampling(replicates=200))
        apart += found.ap.outcome is not Outcome.UNDECIDED

    assert apart <= 8


def test_a_model_is_not_told_apart_from_itself() -> None:
    rng = np.random.default_rng(RNG_SEED)
    truth = rng.random(200) < 0.3
    same = answers(truth, rng, noise=0.2)

    found = compare_scores(truth, same, same)

    assert (found.ap.value, found.ap.low, found.ap.high) == (0, 0, 0)
    assert (found.ap.p, found.mcnemar_p) == (1, 1)
    assert found.ap.outcome is Outcome.UNDECIDED


def test_each_model_decides_at_its_own_threshold() -> None:
    truth = np.array([True, False, True, False])
    probabilities = np.array([0.4, 0.1, 0.3, 0.2])

    found = compare_scores(truth, Answers(probabilities, 0.25), Answers(probabilities, 0.5))

    assert (found.only_first_right, found.only_second_right) == (2, 0)
    assert found.ap.value == 0
    assert found.macro_f1.value > 0


def test_pairing_tells_apart_what_two_intervals_would_not() -> None:
    rng = np.random.default_rng(RNG_SEED)
    truth = rng.random(400) < 0.3
    good = answers(truth, rng, noise=0.2)
    nudged = Answers(np.clip(good.probabilities - 0.05 * truth, 0, 1), 0.5)

    found = compare_scores(truth, nudged, good)

    assert found.ap.outcome is Outcome.WORSE


def test_few_units_tell_less_apart_than_their_rows() -> None:
    rng = np.random.default_rng(RNG_SEED)
    truth = rng.random(300) < 0.4
    pair = answers(truth, rng, noise=0.2), answers(truth, rng, noise=0.25)
    cameras = units_of((np.arange(300) % 6).tolist())

    rows = compare_scores(truth, *pair)
    units = compare_scores(truth, *pair, resampling=Resampling(cameras))

    assert units.ap.value == rows.ap.value
    assert (units.ap.low, units.ap.high) != (rows.ap.low, rows.ap.high)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (3, 9), (9, 3), (5, 5), (0, 12), (800, 900)])
def test_mcnemar_is_the_exact_binomial_test(first: int, second: int) -> None:
    expected = binomtest(first, first + second).pvalue if first + second else 1.0

    assert mcnemar(first, second) == pytest.approx(expected)


def test_scores_that_are_none_are_refused() -> None:
    good, broken = Answers(np.array([0.1, 0.9]), 0.5), Answers(np.array([0.1, np.nan]), 0.5)

    with pytest.raises(ConfigError, match="no probability"):
        compare_scores(np.array([False, True]), good, broken)
