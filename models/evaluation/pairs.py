"""Pairs of captions and clips by rules that fusion did not train on, and what each model says about them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import ConfigError
from core.labels import Modality
from models.evaluation.bootstrap import Resampling, units_of
from models.evaluation.model import Model, load_model
from models.evaluation.request import Request
from models.evaluation.scoring import Progress, encode_captions
from models.networks.video import MotionVideoModel
from models.training.captions import pad
from models.training.clips import load_clips
from models.training.config import TEXT_SOURCES, FusionTraining, VideoTraining
from models.training.data import load_captions
from models.training.fusion import choosing_groups
from models.training.pairs import Pairs, Pool
from models.training.video import read_states, unseen_states

CALM = (False, False)
RULES: dict[str, tuple[tuple[bool, bool], ...]] = {
    "contradictory": ((True, False), (False, True), CALM, CALM),
    "same label": ((True, True), CALM),
}
"""Rule → how often (caption is harmful, clip is harmful) is drawn; a pair is harmful when either part is."""

_CLIPS_OF = {"validation": "train", "gate": "validation"}
"""Where training takes the clips that choose and those of the gate from; captions of both are validation's halves."""
_BATCH = 128


@dataclass(frozen=True)
class PairScores:
    """(N,) probabilities of harm of each pair; the last two are fusion's with one modality missing."""

    text: NDArray[np.float64]
    video: NDArray[np.float64]
    fusion: NDArray[np.float64]
    fusion_of_text: NDArray[np.float64]
    fusion_of_video: NDArray[np.float64]


class PairScorer:
    """A fusion model with the text and video models beside it."""

    def __init__(self, fusion: Model) -> None:
        self.fusion = fusion
        self.text = load_model(fusion.folder.parent / Modality.TEXT)
        self.video = load_model(fusion.folder.parent / Modality.VIDEO)
        beside = {model.modality.value: model.loaded.fingerprint for model in (self.text, self.video)}
        if fusion.loaded.config.trained_over != beside:
            raise ConfigError(f"{fusion.folder} was trained over other text and video models than those beside it")
        if not isinstance(self.video.loaded.network, MotionVideoModel):
            raise ConfigError(f"{self.video.folder} is no model of `clipwarden train video`; fusion needs one")

    def pool(self, request: Request, split: str) -> Pool:
        """What pairs of a split are drawn from; validation and gate are what training chose by, and what it did not."""
        is_chooser, is_gate = split == "validation", split == "gate"
        config = FusionTraining(data=request.data, out=self.fusion.folder, models=self.fusion.folder.parent)
        captions = load_captions(
            request.data,
            "validation" if is_gate else split,  # type: ignore[arg-type]  # any split that the files have
            sources=request.sources or TEXT_SOURCES,
            random_state=config.random_state,
        )
        network = self.video.loaded.network
        clips = load_clips(request.data, network, cache=config.cache).of(_CLIPS_OF.get(split, split))
        if len(clips) == 0:
            raise ConfigError(f"{request.data}/video has no clips of split {split!r}; name another split")
        # The head saw the clips of train: what heads that did not say of them is what it says of others.
        folds = VideoTraining(data=request.data, out=config.out, random_state=config.random_state)
        states = unseen_states(folds, network, clips) if is_chooser else read_states(network, clips)
        pool = Pool(clips, states, captions, encode_captions(self.text, captions.table["text"].tolist()))
        if is_chooser:
            pool = pool.clips_of(choosing_groups(config, clips))
        return pool.half_of_captions(is_gate=is_gate) if is_chooser or is_gate else pool

    def score(self, pool: Pool, pairs: Pairs, progress: Progress) -> PairScores:
        """Every model's answer about the pairs."""
        parts = []
        for batch in torch.split(torch.arange(len(pairs)), _BATCH):
            with torch.inference_mode():
                parts.append(self._score(pool, pairs, batch))
            progress(f"pairs through {self.fusion.name}", int(batch[-1]) + 1, len(pairs))
        columns = np.concatenate(parts, axis=1)
        # The last place of a state is the moment's logit, and the first moment is the clip.
        with torch.inference_mode():
            video = self.video.loaded.network.probability(pool.video_states[:, 0, -1:])
        return PairScores(columns[0], self.video.harm(video.numpy())[pairs.clip_rows.numpy()], *columns[1:])

    def _score(self, pool: Pool, pairs: Pairs, batch: torch.Tensor) -> NDArray[np.float64]:
        """(4, B): text, fusion, fusion without the clip, fusion without the caption."""
        text = self.text.loaded.network(*pad([pool.ids[row] for row in pairs.caption_rows[batch].tolist()]))
        states: tuple[Any, ...] = (text.states, text.state_mask, pool.video_states[pairs.clip_rows[batch]])
        answers = [self.text.harm(text.probabilities.numpy())]
        for there in ((True, True), (True, False), (False, True)):
            mask = torch.tensor([there]).expand(len(batch), 2)
            answers.append(self.fusion.harm(self.fusion.loaded.network(*states, mask).numpy()))
        return np.stack(answers)


def draw_by_rule(pool: Pool, rule: str, count: int, *, random_state: int) -> Pairs:
    """Pairs whose parts' labels follow a rule of RULES: then a language, then a caption and a clip, uniformly.

    Raises:
        ConfigError: the split lacks captions or clips of a label that the rule asks for.
    """
    rng = np.random.default_rng(random_state)
    wanted = np.array(RULES[rule])[rng.integers(len(RULES[rule]), size=count)]
    languages = pool.captions.table["lang"].to_numpy()
    language = rng.choice(sorted(set(languages)), size=count)
    captions = np.empty(count, dtype=np.int64)
    for name in sorted(set(languages)):
        is_it = language == name
        captions[is_it] = _draw(rng, pool.captions.harmful, wanted[is_it, 0], where=languages == name)
    clips = _draw(rng, pool.clips.harmful, wanted[:, 1], where=np.ones(len(pool.clips), dtype=np.bool_))
    return Pairs(torch.from_numpy(clips), torch.from_numpy(captions), torch.from_numpy(wanted))


def pair_units(pool: Pool, pairs: Pairs) -> Resampling:
    """A pair's units: its clip's group and its caption. Few clips are in many pairs: pairs are not independent."""
    groups = pool.clips.table["group"].to_numpy()[pairs.clip_rows.numpy()]
    return Resampling(units_of(groups.tolist(), pairs.caption_rows.tolist()))


def _draw(
    rng: np.random.Generator, harmful: NDArray[np.bool_], wanted: NDArray[np.bool_], *, where: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """For each wanted label, a row that has it."""
    rows = np.empty(len(wanted), dtype=np.int64)
    for label in (False, True):
        there = np.flatnonzero((harmful == label) & where)
        if len(there) == 0 and (wanted == label).any():
            kind = "harmful" if label else "safe"
            raise ConfigError(f"no {kind} rows to pair; name a split or sources that have some")
        rows[wanted == label] = rng.choice(there, size=int((wanted == label).sum())) if len(there) else 0
    return rows
