import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ConfigError
from models.evaluation.bootstrap import Resampling, draw_weights, interval, measure_with_intervals, units_of
from models.evaluation.figures import Answers, Figure, Ranking

THRESHOLD = 0.5


def world(n: int, rng: np.random.Generator) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    truth = rng.random(n) < 0.4
    return truth, np.clip(rng.normal(np.where(truth, 0.6, 0.4), 0.15), 0, 1)


def figure(name: str, rows: tuple[NDArray[np.bool_], NDArray[np.float64]], resampling: Resampling) -> Figure:
    truth, probabilities = rows
    return measure_with_intervals(Ranking(truth, Answers(probabilities, THRESHOLD)), len(truth), resampling)[name]


@pytest.mark.parametrize("name", ["ap", "macro_f1", "brier"])
def test_intervals_cover_the_truth_about_as_often_as_they_say(name: str) -> None:
    rng = np.random.default_rng(0)
    whole = figure(name, world(200_000, rng), Resampling(replicates=1)).value

    found = [figure(name, world(250, rng), Resampling(replicates=200, random_state=seed)) for seed in range(120)]

    assert 0.88 <= np.mean([one.low <= whole <= one.high for one in found]) <= 0.99


def test_a_seed_gives_the_same_interval_again() -> None:
    rows = world(100, np.random.default_rng(1))

    assert figure("ap", rows, Resampling()) == figure("ap", rows, Resampling())
    assert figure("ap", rows, Resampling()) != figure("ap", rows, Resampling(random_state=8))


def test_weights_draw_as_many_rows_as_there_are() -> None:
    weights = np.concatenate(list(draw_weights(30, Resampling(replicates=50))))

    assert weights.shape == (50, 30)
    assert set(weights.sum(axis=1)) == {30.0}


def test_rows_of_a_unit_come_and_go_together() -> None:
    units = units_of(["a", "a", "b", "b", "b"])

    weights = np.concatenate(list(draw_weights(5, Resampling(units, replicates=50))))

    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 2:] == weights[:, 2:3]).all()


def test_copies_of_rows_make_no_interval_narrower_when_they_are_one_unit() -> None:
    truth, probabilities = world(60, np.random.default_rng(2))
    copies = np.tile(truth, 10), np.tile(probabilities, 10)
    units = units_of(np.tile(np.arange(60), 10).tolist())

    plain = figure("ap", (truth, probabilities), Resampling())
    honest = figure("ap", copies, Resampling(units))
    naive = figure("ap", copies, Resampling())

    assert honest.high - honest.low == pytest.approx(plain.high - plain.low, rel=0.2)
    assert naive.high - naive.low < 0.6 * (plain.high - plain.low)


def test_crossed_units_multiply() -> None:
    units = units_of([0, 0, 1, 1], [0, 1, 0, 1])

    weights = np.concatenate(list(draw_weights(4, Resampling(units, replicates=100))))

    assert (weights[:, 0] * weights[:, 3] == weights[:, 1] * weights[:, 2]).all()
    assert weights.any(axis=1).all()


def test_no_interval_is_made_up() -> None:
    with pytest.raises(ConfigError, match="too few independent rows"):
        interval(np.array([np.nan, np.nan]))
