import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from core.errors import ConfigError
from models.evaluation.evaluate import Evaluation, evaluate_scores

Set = tuple[NDArray[np.bool_], NDArray[np.float64]]


def drawn(n: int, *, seed: int = 0, separation: float = 1.5, decimals: int = 12) -> Set:
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.3
    probabilities = 1 / (1 + np.exp(-rng.normal(np.where(truth, separation, 0.0) - 1.0, 1.0)))
    return truth, probabilities.round(decimals)


def test_figures_worked_out_by_hand() -> None:
    truth = np.array([True, False, True, False, False])
    probabilities = np.array([0.9, 0.8, 0.7, 0.2, 0.1])

    figures = evaluate_scores(truth, probabilities, threshold=0.5).figures

    assert figures.ap.value == pytest.approx((1 + 2 / 3) / 2)
    assert figures.precision.value == pytest.approx(2 / 3)
    assert figures.recall.value == 1
    assert figures.harmful_f1.value == pytest.approx(0.8)
    assert figures.macro_f1.value == pytest.approx((0.8 + 0.8) / 2)
    assert figures.auc.value == pytest.approx(5 / 6)
    assert figures.recall_at_precision.value == 0.5
    assert figures.brier.value == pytest.approx((0.1**2 + 0.8**2 + 0.3**2 + 0.2**2 + 0.1**2) / 5)


@pytest.mark.parametrize("decimals", [12, 1], ids=["all different", "many equal"])
def test_figures_are_those_of_the_library(decimals: int) -> None:
    truth, probabilities = drawn(500, decimals=decimals)
    said = probabilities >= 0.4

    figures = evaluate_scores(truth, probabilities, threshold=0.4).figures

    assert figures.ap.value == pytest.approx(metrics.average_precision_score(truth, probabilities))
    assert figures.auc.value == pytest.approx(metrics.roc_auc_score(truth, probabilities))
    assert figures.macro_f1.value == pytest.approx(metrics.f1_score(truth, said, average="macro"))
    assert figures.harmful_f1.value == pytest.approx(metrics.f1_score(truth, said))
    assert figures.precision.value == pytest.approx(metrics.precision_score(truth, said))
    assert figures.accuracy.value == pytest.approx(metrics.accuracy_score(truth, said))
    assert figures.brier.value == pytest.approx(metrics.brier_score_loss(truth, probabilities))
    precision, recall, _ = metrics.precision_recall_curve(truth, probabilities)
    assert figures.recall_at_precision.value == pytest.approx(recall[precision >= 0.9].max())


def test_harmful_is_from_the_threshold_up() -> None:
    confusion = evaluate_scores(np.array([True, False]), np.array([0.5, 0.4]), threshold=0.5).confusion

    assert (confusion.hits, confusion.left_alone) == (1, 1)


def test_a_model_that_flags_nothing_has_figures_of_zero() -> None:
    truth, probabilities = drawn(50)

    figures = evaluate_scores(truth, probabilities, threshold=1.0).figures

    assert (figures.harmful_f1.value, figures.precision.value, figures.recall.value) == (0, 0, 0)


@pytest.mark.parametrize(
    ("truth", "probabilities", "said"),
    [
        ([], [], "no rows"),
        ([True, True], [0.2, 0.7], "all 2 rows are harmful"),
        ([False, False], [0.2, 0.7], "all 2 rows are safe"),
        ([True, False], [0.2, np.nan], "1 of 2 scores are no probability"),
        ([True, False], [0.2, np.inf], "1 of 2 scores"),
        ([True, False], [-0.1, 1.2], "2 of 2 scores"),
        ([True, False, True], [0.1, 0.2], "3 labels for 2 scores"),
    ],
)
def test_what_no_figure_can_be_made_of_is_refused(truth: list[bool], probabilities: list[float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        evaluate_scores(np.array(truth, dtype=bool), np.array(probabilities), threshold=0.5)


def test_a_threshold_that_is_no_probability_is_refused() -> None:
    with pytest.raises(ConfigError, match="threshold nan"):
        evaluate_scores(*drawn(20), threshold=float("nan"))


def test_an_evaluation_survives_json() -> None:
    truth, probabilities = drawn(60)
    names = np.where(np.arange(60) % 2, "odd", "even")

    evaluation = evaluate_scores(
        truth, probabilities, threshold=0.5, slices={"parity": names}, uncalibrated=probabilities**2
    )

    assert Evaluation.from_json(evaluation.to_json()) == evaluation
    with pytest.raises(ConfigError, match="no evaluation"):
        Evaluation.from_json('{"n": 1}')


def test_the_same_rows_give_the_same_figures_in_any_order() -> None:
    truth, probabilities = drawn(80, decimals=1)
    order = np.random.default_rng(3).permutation(80)

    one = evaluate_scores(truth, probabilities, threshold=0.5)
    other = evaluate_scores(truth[order], probabilities[order], threshold=0.5)

    assert one.figures.ap.value == pytest.approx(other.figures.ap.value)
    assert one.calibration.ece == pytest.approx(other.calibration.ece)
    assert one.curve == other.curve
