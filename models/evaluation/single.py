"""A text or video model on its sets, beside a champion on the same rows."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.labels import Modality
from models.evaluation.bootstrap import Resampling, units_of
from models.evaluation.compare import compare_scores
from models.evaluation.evaluate import Evaluation, evaluate_scores
from models.evaluation.examples import worst_examples
from models.evaluation.figures import Answers
from models.evaluation.model import Model
from models.evaluation.report import Measured, Rival
from models.evaluation.request import Request
from models.evaluation.rows import Rows, read_caption_sets, read_clip_set
from models.evaluation.scoring import Progress, score_captions, score_clips
from models.networks.video import MotionVideoModel
from models.training.clips import load_clips
from models.training.config import VideoTraining
from models.training.heads import cross_validate

_POOLED = "The split pools languages and sources whose shares of harm differ: read it beside its slices."
_CAMERAS = "Intervals draw groups (cameras or source videos), not clips; McNemar's test takes clips as independent."


def measure_single(
    request: Request, model: Model, champion: Model | None, *, progress: Progress
) -> tuple[Measured, list[pd.DataFrame]]:
    """Everything about a text or video model, and what it got most wrong.

    Raises:
        ConfigError: the data cannot be used.
        MediaError: a clip cannot be decoded.
    """
    is_text = model.modality is Modality.TEXT
    if is_text:
        sets = read_caption_sets(request.data, request.split, request.sources)
    else:
        sets = (read_clip_set(request.data, request.split),)
    answers = _answer(request, model, sets, progress)
    evaluations = {rows.name: _evaluate(rows, own, model) for rows, own in zip(sets, answers, strict=True)}
    examples = [worst_examples(rows, own) for rows, own in zip(sets, answers, strict=True)]
    rivals: tuple[Rival, ...] = ()
    if champion is not None:
        theirs = _answer(request, champion, sets, progress)
        parts = zip(sets, answers, theirs, strict=True)
        rivals = tuple(_rival(rows, own, (champion, their)) for rows, own, their in parts)
    folds = None if is_text or not request.folds else _cross_validate(request, model, progress)
    measured = Measured(
        sets=evaluations,
        data_sha256=sets[0].sha256,
        rivals=rivals,
        cross_validation=folds,
        notes=(_POOLED if is_text else _CAMERAS,),
    )
    return measured, examples


def _answer(request: Request, model: Model, sets: tuple[Rows, ...], progress: Progress) -> list[Answers]:
    """The model's answers about each set; scored in one go, for one bar."""
    table = pd.concat([rows.table for rows in sets], ignore_index=True)
    if model.modality is Modality.TEXT:
        harm = score_captions(model, table["text"].tolist(), progress)
    else:
        harm = score_clips(model, [request.data / "video" / name for name in table["file"]], progress)
    ends = np.cumsum([len(rows) for rows in sets])
    return [Answers(part, model.threshold) for part in np.split(harm, ends[:-1])]


def _evaluate(rows: Rows, answers: Answers, model: Model) -> Evaluation:
    return evaluate_scores(
        rows.truth,
        answers.probabilities,
        threshold=answers.threshold,
        slices=rows.slicing,
        uncalibrated=model.uncalibrated(answers.probabilities),
        resampling=rows.resampling,
    )


def _rival(rows: Rows, own: Answers, other: tuple[Model, Answers]) -> Rival:
    champion, theirs = other
    return Rival(
        name=f"champion {champion.name}",
        on=rows.name,
        evaluation=_evaluate(rows, theirs, champion),
        comparison=compare_scores(rows.truth, own, theirs, resampling=rows.resampling),
    )


def _cross_validate(request: Request, model: Model, progress: Progress) -> Evaluation | None:
    """The recipe on train and validation; None for networks that `clipwarden train` did not make."""
    if not isinstance(model.loaded.network, MotionVideoModel):
        return None
    progress("folds of the recipe", 0, 1)
    config = VideoTraining(data=request.data, out=model.folder)
    clips = load_clips(request.data, model.loaded.network, cache=config.cache).of("train", "validation")
    unseen: NDArray[np.float64] = cross_validate(config, clips)
    progress("folds of the recipe", 1, 1)
    resampling = Resampling(units_of(clips.table["group"].tolist()))
    return evaluate_scores(clips.harmful, unseen, threshold=0.5, resampling=resampling)
