"""Fusion on pairs by rule: against late fusion, against each modality alone, and with one modality missing."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.evaluation.bootstrap import Resampling
from models.evaluation.compare import Comparison, compare_scores
from models.evaluation.evaluate import Evaluation, evaluate_scores
from models.evaluation.figures import Answers
from models.evaluation.late import LateFusion, fit_late_fusions
from models.evaluation.model import Model
from models.evaluation.pairs import RULES, PairScorer, PairScores, draw_by_rule, pair_units
from models.evaluation.report import Check, Measured, Rival
from models.evaluation.request import Request
from models.evaluation.scoring import Progress
from models.evaluation.slices import Slicing
from models.training.config import FusionTraining
from models.training.pairs import Pairs, Pool, draw_pairs

AS_TRAINED = "pairs as trained"
WITHOUT_CLIP, WITHOUT_CAPTION = "clip missing", "caption missing"
MOST_LOST = 0.01
"""A model given one modality may be that much worse, in macro-F1, than that modality's own model."""

_STATE = FusionTraining.random_state
"""Training draws from it too, so pairs of one split are the same pairs there and here."""

_MADE = (
    "No captions and clips labelled together could be had: pairs are made by rule, harmful when either part is, so "
    "nothing here tests whether caption and clip mean something together."
)
_UNSEEN = (
    "Contradictory: harmful caption with safe clip or the reverse, beside pairs of two safe parts. Same label: both "
    "parts harmful or both safe. Fusion trained on neither rule."
)
_FITTED = "Late fusions got weights and thresholds on the validation pairs that chose fusion's epoch and calibration."
_CROSSED = "Intervals draw camera groups and captions, crossed: few clips are in many pairs, so they are wide."


@dataclass(frozen=True)
class _Asked:
    """Pairs, what they were drawn from, and what the model said."""

    name: str
    pool: Pool
    pairs: Pairs
    scores: PairScores

    @property
    def sha256(self) -> str:
        """Of the pairs' captions, files and labels."""
        captions = self.pool.captions.table["text"].to_numpy()[self.pairs.caption_rows.numpy()]
        files = self.pool.clips.table["file"].to_numpy()[self.pairs.clip_rows.numpy()]
        lines = (f"{row}" for row in zip(captions, files, self.pairs.harmful.tolist(), strict=True))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def resampling(self) -> Resampling:
        return pair_units(self.pool, self.pairs)

    @property
    def slicing(self) -> Slicing:
        """By language of the caption, and by which part is harmful."""
        caption, clip = self.pairs.harmful.numpy().T
        parts = np.select([caption & clip, caption, clip], ["both", "caption", "clip"], default="neither")
        languages = self.pool.captions.table["lang"].to_numpy()[self.pairs.caption_rows.numpy()]
        return {"language": languages.astype(str), "harmful part": parts.astype(str)}


def measure_fusion(
    request: Request, model: Model, champion: Model | None, *, progress: Progress
) -> tuple[Measured, list[pd.DataFrame]]:
    """Everything about a fusion model; pairs are no rows that a person wrote, so there are no examples.

    Raises:
        ConfigError: the data or the models beside it cannot be used.
        MediaError: a clip cannot be decoded.
    """
    scorer = PairScorer(model)
    late = _fit_late(request, scorer, progress)
    asked = _ask(request, scorer, progress)
    sets = {part.name: _evaluate(part, Answers(part.scores.fusion, model.threshold), model=model) for part in asked}
    rivals = [rival for part in asked for rival in _rivals(part, scorer, late)]
    if champion is not None:
        theirs = _ask(request, PairScorer(champion), progress)
        rivals += [_champion(part, other, (model, champion)) for part, other in zip(asked, theirs, strict=True)]
    dropped_sets, dropped = _dropped(asked[0], scorer)
    checks = _checks(rivals, dropped, late[0].name)
    measured = Measured(
        sets={**sets, **dropped_sets},
        data_sha256=asked[0].sha256,
        rivals=(*rivals, *dropped),
        checks=checks,
        notes=(_MADE, _UNSEEN, _FITTED, _CROSSED),
    )
    return measured, []


def _fit_late(request: Request, scorer: PairScorer, progress: Progress) -> tuple[LateFusion, LateFusion]:
    pool = scorer.pool(request, "validation")
    pairs = draw_pairs(pool, request.pairs, random_state=_STATE + 1)
    scores = scorer.score(pool, pairs, progress)
    return fit_late_fusions(pairs.truth, scores.text, scores.video)


def _ask(request: Request, scorer: PairScorer, progress: Progress) -> list[_Asked]:
    """The rule of training first, then those unseen; the draws depend on the data alone, so models share them."""
    pool = scorer.pool(request, request.split)
    state = _STATE + (2 if request.split == "gate" else 3)
    drawn = {AS_TRAINED: draw_pairs(pool, request.pairs, random_state=state)}
    for number, rule in enumerate(RULES, start=1):
        drawn[rule] = draw_by_rule(pool, rule, request.pairs, random_state=state + number)
    return [_Asked(name, pool, pairs, scorer.score(pool, pairs, progress)) for name, pairs in drawn.items()]


def _evaluate(asked: _Asked, answers: Answers, *, model: Model | None = None) -> Evaluation:
    return evaluate_scores(
        asked.pairs.truth,
        answers.probabilities,
        threshold=answers.threshold,
        slices=asked.slicing,
        uncalibrated=model.uncalibrated(answers.probabilities) if model else None,
        resampling=asked.resampling,
    )


def _rivals(asked: _Asked, scorer: PairScorer, late: tuple[LateFusion, LateFusion]) -> list[Rival]:
    text, video = asked.scores.text, asked.scores.video
    answers = {fitted.name: fitted.answer(text, video) for fitted in late}
    answers["text model alone"] = Answers(text, scorer.text.threshold)
    answers["video model alone"] = Answers(video, scorer.video.threshold)
    own = Answers(asked.scores.fusion, scorer.fusion.threshold)
    return [
        Rival(name, asked.name, _evaluate(asked, other), _compare(asked.pairs.truth, (own, other), asked.resampling))
        for name, other in answers.items()
    ]


def _champion(asked: _Asked, theirs: _Asked, models: tuple[Model, Model]) -> Rival:
    model, champion = models
    own, other = (Answers(part.scores.fusion, which.threshold) for part, which in ((asked, model), (theirs, champion)))
    return Rival(
        f"champion {champion.name}",
        asked.name,
        _evaluate(theirs, other, model=champion),
        _compare(asked.pairs.truth, (own, other), asked.resampling),
    )


def _dropped(asked: _Asked, scorer: PairScorer) -> tuple[dict[str, Evaluation], list[Rival]]:
    """Fusion given one modality, beside that modality's own model, on that modality's own label."""
    scores, threshold = asked.scores, scorer.fusion.threshold
    cases = (
        (WITHOUT_CLIP, scores.fusion_of_text, Answers(scores.text, scorer.text.threshold)),
        (WITHOUT_CAPTION, scores.fusion_of_video, Answers(scores.video, scorer.video.threshold)),
    )
    sets: dict[str, Evaluation] = {}
    rivals = []
    for column, (name, given_one, alone) in enumerate(cases):
        truth = asked.pairs.harmful[:, column].numpy()
        own = Answers(given_one, threshold)
        sets[name], theirs = (
            evaluate_scores(truth, part.probabilities, threshold=part.threshold, resampling=asked.resampling)
            for part in (own, alone)
        )
        rival = f"{('text', 'video')[column]} model"
        rivals.append(Rival(rival, name, theirs, _compare(truth, (own, alone), asked.resampling)))
    return sets, rivals


def _checks(rivals: list[Rival], dropped: list[Rival], late: str) -> tuple[Check, ...]:
    """What fusion promises: to beat late fusion on rules it has not seen, and to lose next to nothing on one part."""
    beats = [
        Check(f"{rival.on}: AP less that of the {late}", rival.comparison.ap.value, 0.0)
        for rival in rivals
        if rival.name == late and rival.on in RULES
    ]
    keeps = [
        Check(f"{rival.on}: macro-F1 less that of the {rival.name}", rival.comparison.macro_f1.value, -MOST_LOST)
        for rival in dropped
    ]
    return (*beats, *keeps)


def _compare(truth: NDArray[np.bool_], answers: tuple[Answers, Answers], resampling: Resampling) -> Comparison:
    return compare_scores(truth, *answers, resampling=resampling)
