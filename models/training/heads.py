"""Clip features → a linear head, and what heads say about clips whose group they had not seen."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from models.networks.config import OwnConfig
from models.training.clips import Clips
from models.training.config import VideoTraining
from models.training.evaluate import calibrated, log_loss, scale

_REPEATS = 3
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True)
class Choice:
    """A penalty, and the logits each clip got from heads that had not seen its group."""

    inverse_penalty: float
    unseen_logits: NDArray[np.float64]


def build_head(inverse_penalty: float) -> Pipeline:
    """An unfitted head: standardisation, then logistic regression."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=inverse_penalty, max_iter=1000))


def choose_head(config: VideoTraining, clips: Clips) -> Choice:
    """The penalty with the least log loss on groups left out."""
    choices = [Choice(c, _unseen_logits(config, clips, c)) for c in config.inverse_penalties]
    return min(choices, key=lambda choice: log_loss(clips.harmful, choice.unseen_logits))


def assign_folds(config: VideoTraining, clips: Clips, asked: NDArray[np.bool_]) -> NDArray[np.int_]:
    """(N,) fold of each clip that is asked about, groups apart; -1 for the others: they train in every fold."""
    folds = np.full(len(clips), -1)
    rows = np.flatnonzero(asked)
    groups = clips.table["group"].to_numpy()[rows]
    for number, (_, unseen) in enumerate(GroupKFold(config.folds).split(rows, groups=groups)):
        folds[rows[unseen]] = number
    return folds


def cross_validate(config: VideoTraining, clips: Clips, folds: NDArray[np.int_] | None = None) -> NDArray[np.float64]:
    """(N,) probabilities of the whole recipe, penalty and calibration with it, fitted on all other folds; else NaN."""
    if folds is None:
        folds = assign_folds(config, clips, np.ones(len(clips), dtype=np.bool_))
    probabilities = np.full(len(clips), np.nan)
    for number in range(config.folds):
        seen, unseen = clips.where(folds != number), clips.where(folds == number)
        choice = choose_head(config, seen)
        calibration = OwnConfig()
        scale(calibration, seen.harmful, choice.unseen_logits)
        head = build_head(choice.inverse_penalty).fit(seen.features, seen.harmful)
        probabilities[folds == number] = calibrated(calibration, head.decision_function(unseen.features))
    return probabilities


def stranger_folds(config: VideoTraining, clips: Clips, repeat: int = 0) -> Iterator[Fold]:
    """(seen, unseen) rows, groups apart, as even in label as may be."""
    cut = StratifiedGroupKFold(config.folds, shuffle=True, random_state=config.random_state + repeat)
    yield from cut.split(clips.features, clips.harmful, clips.table["group"].to_numpy())


def _unseen_logits(config: VideoTraining, clips: Clips, inverse_penalty: float) -> NDArray[np.float64]:
    """Per clip, the mean over several draws of folds."""
    logits = np.zeros(len(clips))
    for repeat in range(_REPEATS):
        for seen, unseen in stranger_folds(config, clips, repeat):
            head = build_head(inverse_penalty).fit(clips.features[seen], clips.harmful[seen])
            logits[unseen] += head.decision_function(clips.features[unseen]) / _REPEATS
    return logits
