import numpy as np

from models.evaluation.bootstrap import Resampling, units_of
from models.evaluation.figures import Answers
from models.evaluation.slices import length_buckets, measure_slices

TRUTH = np.array([True, False, True, False, True, True])
SAID = Answers(np.array([0.9, 0.1, 0.2, 0.8, 0.7, 0.6]), 0.5)


def test_each_slice_counts_its_own_rows() -> None:
    names = np.array(["en", "en", "vi", "vi", "vi", "vi"])

    vi, en = measure_slices(TRUTH, SAID, {"language": names}, resampling=Resampling())

    assert (vi.name, vi.n, vi.harmful, vi.accuracy.value) == ("vi", 4, 3, 0.5)
    assert (en.name, en.n, en.harmful, en.accuracy.value) == ("en", 2, 1, 1.0)
    assert en.ap is not None
    assert en.ap.value == 1


def test_a_slice_of_one_class_has_no_ap_but_an_honest_interval_of_its_decisions() -> None:
    names = np.where(TRUTH, "harmful", "safe")

    harmful, safe = measure_slices(TRUTH, SAID, {"category": names}, resampling=Resampling())

    assert harmful.ap is None
    assert harmful.macro_f1 is None
    assert harmful.accuracy.value == 0.75
    assert safe.accuracy.low < 0.5 < safe.accuracy.high


def test_slices_keep_the_units_of_their_rows() -> None:
    units = units_of(["a", "b", "a", "c", "b", "c"])
    names = np.array(["x", "x", "y", "y", "y", "y"])

    slices = measure_slices(TRUTH, SAID, {"kind": names}, resampling=Resampling(units))

    assert [part.n for part in slices] == [4, 2]


def test_a_length_on_an_edge_is_in_the_shorter_bucket() -> None:
    found = length_buckets(np.array([0.0, 20, 21, 50, 51]), (20.0, 50.0), "characters")

    assert found.tolist() == [
        "up to 20 characters",
        "up to 20 characters",
        "over 20 to 50 characters",
        "over 20 to 50 characters",
        "over 50 characters",
    ]
