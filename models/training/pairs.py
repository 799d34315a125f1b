"""Clips and captions labelled apart → pairs by rule: no labelled posts with both could be had."""

from collections.abc import Collection
from dataclasses import dataclass, replace

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

    def clips_of(self, groups: Collection[str]) -> "Pool":
        """With the clips of some groups alone."""
        rows = self.clips.table["group"].isin(groups).to_numpy()
        return replace(self, clips=self.clips.where(rows), video_states=self.video_states[torch.tensor(rows)])

    def half_of_captions(self, *, is_gate: bool) -> "Pool":
        """With every second caption alone; both halves have all clips."""
        rows = np.arange(len(self.captions)) % 2 == is_gate
        ids = [ids for ids, is_in in zip(self.ids, rows, strict=True) if is_in]
        return replace(self, captions=self.captions.where(rows), ids=ids)

    def with_captions_of(self, other: "Pool") -> "Pool":
        """These clips, the other's captions."""
        return replace(self, captions=other.captions, ids=other.ids)


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
