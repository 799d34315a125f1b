"""(N,) truth and probabilities → an `Evaluation`: all figures of one set, as gates, reports and cards read them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from core.errors import ConfigError
from models.evaluation.bootstrap import Resampling, measure_with_intervals
from models.evaluation.calibration import Calibration, calibration
from models.evaluation.figures import Answers, Figures, Ranking, check_scores
from models.evaluation.slices import Slice, Slicing, measure_slices

_CURVE_POINTS = 200


@dataclass(frozen=True)
class Confusion:
    """Decisions at the threshold."""

    hits: int
    false_alarms: int
    misses: int
    left_alone: int


@dataclass(frozen=True)
class CurvePoint:
    """One cut of the precision-recall curve."""

    recall: float
    precision: float


@dataclass(frozen=True)
class Evaluation:
    """Everything measured on one set of rows.

    Attributes:
        threshold: harmful from there up; the model's own, set before these rows were seen.
        units: how many independent units the intervals were drawn over: rows, or cameras of clips.
        uncalibrated: as without the model's temperature and bias; None where it has none.
        curve: the precision-recall curve, thinned to what a picture shows.
    """

    n: int
    harmful: int
    units: int
    threshold: float
    figures: Figures
    confusion: Confusion
    calibration: Calibration
    uncalibrated: Calibration | None
    slices: tuple[Slice, ...]
    curve: tuple[CurvePoint, ...]

    def to_json(self) -> str:
        """One JSON object."""
        return _JSON.dump_json(self).decode()

    @staticmethod
    def from_json(text: str | bytes) -> "Evaluation":
        """What `to_json` wrote.

        Raises:
            ConfigError: it is something else.
        """
        try:
            return _JSON.validate_json(text)
        except ValidationError as error:
            raise ConfigError(
                f"no evaluation ({error.error_count()} faults in it); evaluate the model again"
            ) from error


_JSON = TypeAdapter(Evaluation)


def evaluate_scores(
    truth: NDArray[np.bool_],
    probabilities: NDArray[np.float64],
    *,
    threshold: float,
    slices: Slicing | None = None,
    uncalibrated: NDArray[np.float64] | None = None,
    resampling: Resampling | None = None,
) -> Evaluation:
    """Measure (N,) probabilities of harm against (N,) truth; the same arguments give the same figures.

    Raises:
        ConfigError: no rows, one class only, or a score that is no probability: such figures would mean nothing.
    """
    answers = Answers(np.asarray(probabilities, dtype=np.float64), threshold)
    check_scores(truth, answers)
    resampling = resampling or Resampling()
    ranking = Ranking(truth, answers)
    return Evaluation(
        n=len(truth),
        harmful=int(truth.sum()),
        units=resampling.fewest_units(len(truth)),
        threshold=threshold,
        figures=Figures(**measure_with_intervals(ranking, len(truth), resampling)),
        confusion=_confusion(truth, answers.probabilities >= threshold),
        calibration=calibration(truth, answers.probabilities),
        uncalibrated=None if uncalibrated is None else calibration(truth, uncalibrated),
        slices=measure_slices(truth, answers, slices or {}, resampling=resampling),
        curve=_curve(ranking),
    )


def _confusion(truth: NDArray[np.bool_], said: NDArray[np.bool_]) -> Confusion:
    return Confusion(
        hits=int((said & truth).sum()),
        false_alarms=int((said & ~truth).sum()),
        misses=int((~said & truth).sum()),
        left_alone=int((~said & ~truth).sum()),
    )


def _curve(ranking: Ranking) -> tuple[CurvePoint, ...]:
    recall, precision = ranking.curve()
    kept = np.unique(np.linspace(0, len(recall) - 1, _CURVE_POINTS).round().astype(int))
    return tuple(CurvePoint(float(recall[at]), float(precision[at])) for at in kept)
