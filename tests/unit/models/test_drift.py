import math

import numpy as np
import pytest

from core.errors import ConfigError
from models.drift import ACT_FROM, Reference, Sample, deciles, drift, histogram, psi, reference_of


def test_the_index_is_the_one_computed_by_hand() -> None:
    # (0.25-0.5) ln(0.25/0.5) + (0.75-0.5) ln(0.75/0.5) = 0.173287 + 0.101366
    assert psi([50, 50], [25, 75]) == pytest.approx(0.274653, abs=1e-6)
    # 0.1 ln(0.3/0.2) + 0 - 0.1 ln(0.4/0.5), as (0.3-0.2), (0.3-0.3), (0.4-0.5)
    assert psi([20, 30, 50], [300, 300, 400]) == pytest.approx(0.1 * math.log(1.5) - 0.1 * math.log(0.8), abs=1e-12)


def test_equal_shares_have_none_whatever_the_counts() -> None:
    assert psi([1, 2, 3], [100, 200, 300]) == pytest.approx(0.0, abs=1e-12)


def test_an_empty_bin_counts_as_one_in_ten_thousand() -> None:
    # (1e-4-0.5) ln(1e-4/0.5) + (1-0.5) ln(1/0.5)
    by_hand = (1e-4 - 0.5) * math.log(1e-4 / 0.5) + 0.5 * math.log(2)

    assert psi([5, 5], [0, 10]) == pytest.approx(by_hand, abs=1e-12)


def test_bins_are_deciles_and_a_value_on_an_edge_lies_above_it() -> None:
    values = np.arange(100, dtype=np.float64)

    edges = deciles(values)

    np.testing.assert_allclose(edges, np.arange(1, 10) * 9.9)
    assert histogram(values, edges).counts == (10,) * 10
    assert histogram(np.array([0.0, 1.0, 2.0]), [1.0]).counts == (1, 2)


def test_repeated_values_share_a_bin() -> None:
    assert deciles(np.array([0.0] * 95 + [7.0] * 5)) == (0.0,)


def test_the_same_traffic_does_not_drift_and_another_does() -> None:
    rng = np.random.default_rng(3)

    def seen(mean: float, vietnamese: float) -> Sample:
        languages = np.where(rng.random(2000) < vietnamese, "vi", "en").tolist()
        return Sample({"score": rng.normal(mean, 0.1, 2000)}, {"language": languages})

    reference = reference_of("text:3", seen(0.2, 0.8))

    assert max(drift(reference, seen(0.2, 0.8)).values()) < 0.02
    moved = drift(reference, seen(0.4, 0.3))
    assert min(moved.values()) > ACT_FROM


def test_a_new_language_is_drift() -> None:
    reference = reference_of("text:3", Sample(names={"language": ["vi"] * 90 + ["en"] * 10}))

    assert drift(reference, Sample(names={"language": ["vi"] * 70 + ["th"] * 30}))["language"] > ACT_FROM


def test_what_only_one_side_saw_is_not_measured() -> None:
    reference = reference_of("video:3", Sample({"score": np.array([0.1, 0.2]), "chars": np.array([])}))

    assert drift(reference, Sample({"score": np.array([]), "chars": np.array([3.0])})) == {}


def test_a_reference_reads_back_as_written_and_nothing_else_does() -> None:
    reference = reference_of("text:3", Sample({"score": np.array([0.1, 0.9])}, {"language": ["vi", "en"]}))

    assert Reference.from_json(reference.to_json()) == reference
    with pytest.raises(ConfigError, match="remove the file"):
        Reference.from_json("{}")
