"""Clips and captions labelled apart → pairs by rule: no labelled posts with both could be had."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from models.training.captions import Ids
from models.training.clips import Clips
from models.training.data import Captions

RULE = (
    "each pair is a clip and a caption of the same split, drawn independently and with repetition: the clip uniformly, "
    "then a language, then a caption of it uniformly; a pair is harmful when its clip or its caption is"
)


@dataclass(frozen=True)
class Pool:
    """What pairs are drawn from: clips with their states, captions with their ids."""

    clips: Clips
    video_states: torch.Tensor
    captions: Captions
    ids: Ids

    def half(self, *, is_gate: bool) -> "Pool":
        """One of two disjoint halves: every second group of clips, every second caption."""
        groups = sorted(self.clips.table["group"].unique())
        clip_rows = self.clips.table["group"].isin(groups[is_gate::2]).to_numpy()
        caption_rows = np.arange(len(self.captions)) % 2 == is_gate
        return Pool(
            self.clips.where(clip_rows),
            self.video_states[torch.tensor(clip_rows)],
            self.captions.where(caption_rows),
            [ids for ids, is_in in zip(self.ids, caption_rows, strict=True) if is_in],
        )


@dataclass(frozen=True)
class Pairs:
    """(N,) rows of clips and captions, and (N, 2) whether the caption and the clip are harmful."""

    clip_rows: torch.Tensor
    caption_rows: torch.Tensor
    harmful: torch.Tensor

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.clip_rows)

    @property
    def truth(self) -> NDArray[np.bool_]:
        """(N,) whether either part is harmful."""
        truth: NDArray[np.bool_] = self.harmful.any(1).numpy()
        return truth


def draw_pairs(pool: Pool, count: int, *, random_state: int) -> Pairs:
    """Pairs by the rule; the same random_state draws the same."""
    rng = np.random.default_rng(random_state)
    clip_rows = rng.integers(len(pool.clips), size=count)
    languages = pool.captions.table["lang"].to_numpy()
    by_language = [np.flatnonzero(languages == language) for language in sorted(set(languages))]
    chosen = rng.integers(len(by_language), size=count)
    caption_rows = np.array([rng.choice(by_language[language]) for language in chosen])
    harmful = np.stack([pool.captions.harmful[caption_rows], pool.clips.harmful[clip_rows]], axis=1)
    return Pairs(torch.from_numpy(clip_rows), torch.from_numpy(caption_rows), torch.from_numpy(harmful))
