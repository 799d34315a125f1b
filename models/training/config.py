"""Every hyperparameter of a training run, logged whole with it and written into the checkpoint's card."""

import math
import os
from dataclasses import dataclass, field
from pathlib import Path

TEXT_SOURCES = (
    "vi_vihsd",
    "vi_vithsd",
    "vi_victsd",
    "vi_safesense",
    "en_tweeteval_hate",
    "en_tweeteval_offensive",
    "en_multihateclip",
    "en_davidson",
    "en_gibert_forum",
)
BALANCED_SOURCES = frozenset({"en_davidson"})
"""Sampled by keyword by their authors, so mostly harmful: as many harmful rows are kept as there are safe ones."""


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """One optimisation: AdamW, linear warm-up, cosine decay, early stop on validation."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    warmup_share: float = 0.1
    patience: int = 2
    average_decay: float = 0.998
    clip: float = math.inf
    """Longest gradient."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What every run has; `data`, `out` and `version` come from the caller.

    Attributes:
        data: folder with tables of captions in `text/` and `video/manifest.csv`, each CSV or Parquet.
        out: the checkpoint's folder; written only when training ended well.
        version: what the checkpoint calls itself in every verdict.
        cache: where decoded and frozen features are kept between runs; safe to delete.
    """

    data: Path
    out: Path
    version: str = "local"
    random_state: int = 7
    threads: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    cache: Path = Path(".clipwarden/training")


@dataclass(frozen=True, kw_only=True)
class TextTraining(TrainConfig):
    """Text: the first layers of a published encoder beside hashed n-grams; each is trained alone, then blended."""

    encoder_loop: LoopConfig = LoopConfig(
        epochs=5,
        batch_size=64,
        learning_rate=2e-4,
        weight_decay=0.02,
        warmup_share=0.06,
        average_decay=0.99,
        clip=1.0,
    )
    ngram_loop: LoopConfig = LoopConfig(epochs=5, batch_size=128, learning_rate=4e-3, weight_decay=0.3)
    sources: tuple[str, ...] = TEXT_SOURCES
    second_sources: tuple[str, ...] = ("vi_vithsd_second_labels",)
    """What other people said of the same training captions."""
    second_weight: float = 0.33
    harmless_sources: tuple[str, ...] = ("vi_vispam_reviews",)
    """Of another task; only what it calls safe is read."""
    harmless_rows: int = 2_500
    layers: int = 6
    frozen_layers: int = 2
    """The first of them stay as published."""
    layer_decay: float = 0.85
    """Each layer learns this much slower than the one above it."""
    head_rate: float = 6.0
    """How much faster the new head learns than the top layer."""
    word_dropout: float = 0.08
    safe_share: float = 0.4
    """How many of the safe Vietnamese captions, which are most of all, the encoder sees in each epoch."""
    rows: int = 1 << 17
    dim: int = 16
    max_tokens: int = 254
    train_tokens: int = 64
    """Of longer captions, the encoder trains on the end: a comment stands behind the title it answers."""
    ngram_keep: float = 0.6
    label_smoothing: float = 0.03
    disguised_share: float = 0.4
    """How many captions are read in another spelling in each epoch."""
    disguises: int = 3
    """Other spellings drawn of each caption."""


@dataclass(frozen=True, kw_only=True)
class VideoTraining(TrainConfig):
    """Video: a linear reading of how a frozen trunk's features change where the clip moves most."""

    stages: tuple[int, ...] = (5, 7)
    grid: int = 7
    busiest: int = 4
    num_frames: int = 16
    size_px: int = 224
    window_frames: int = 5
    state_dim: int = 25
    inverse_penalties: tuple[float, ...] = (1e-2, 3e-2, 1e-1, 3e-1)
    folds: int = 5


@dataclass(frozen=True, kw_only=True)
class FusionTraining(TrainConfig):
    """Fusion: cross-attention over the states of the text and video models in `models`."""

    models: Path
    loop: LoopConfig = LoopConfig(
        epochs=3, batch_size=128, learning_rate=1e-3, weight_decay=0.05, patience=2, average_decay=0.98
    )
    dim: int = 32
    sources: tuple[str, ...] = TEXT_SOURCES
    choosing_groups: int = 3
    """Every so many-th group of train clips chooses epoch and calibration instead of training."""
    train_pairs: int = 8_000
    validation_pairs: int = 2_000
    ngram_keep: float = 0.4
    gate: float = 0.80
