import numpy as np
import pytest

from models.evaluation.calibration import BINS, calibration, wilson


def test_a_perfectly_calibrated_model_shows_what_the_simulation_expects() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.random(1_000)

    found = [calibration(rng.random(1_000) < probabilities, probabilities) for _ in range(60)]

    assert np.median([one.ece for one in found]) == pytest.approx(found[0].perfect_ece, rel=0.1)
    assert np.mean([one.ece > one.perfect_ece_high for one in found]) <= 0.15


def test_the_error_is_the_distance_by_bin() -> None:
    truth = np.tile([True, False], 75)
    probabilities = np.repeat(np.linspace(0.1, 0.9, BINS), 10)

    found = calibration(truth, probabilities)

    assert [part.n for part in found.bins] == [10] * BINS
    assert found.ece == pytest.approx(np.abs(np.linspace(0.1, 0.9, BINS) - 0.5).mean())
    assert found.ece > found.perfect_ece_high


def test_equal_probabilities_are_never_parted() -> None:
    found = calibration(np.tile([True, False], 50), np.repeat([0.2, 0.8], 50))

    assert [part.n for part in found.bins] == [50, 50]
    assert [part.probability for part in found.bins] == pytest.approx([0.2, 0.8])
    assert found.ece == pytest.approx(0.3)


def test_being_too_sure_is_an_error_and_costs_brier() -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.random(3_000)
    truth = rng.random(3_000) < probabilities
    too_sure = np.where(probabilities > 0.5, probabilities ** (1 / 4), probabilities**4)

    fair, boastful = calibration(truth, probabilities), calibration(truth, too_sure)

    assert fair.ece < fair.perfect_ece_high
    assert boastful.ece > boastful.perfect_ece_high
    assert boastful.brier > fair.brier


def test_the_interval_of_a_share_is_wilsons() -> None:
    np.testing.assert_allclose(wilson(0, 10), (0, 0.2775), atol=1e-4)
    np.testing.assert_allclose(wilson(5, 10), (0.2366, 0.7634), atol=1e-4)
