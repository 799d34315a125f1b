"""`clipwarden train fusion`: two trained models and pairs of their data → a fusion checkpoint, its gate and card."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

from core.errors import ConfigError
from core.labels import HARMFUL_LABEL
from models.networks.fusion import CrossFusionConfig, CrossFusionModel
from models.networks.hybrid import HybridTextModel
from models.networks.loading import Loaded, load_text, load_video
from models.networks.text import NgramTextModel
from models.networks.video import MotionVideoModel
from models.training.captions import encode, pad
from models.training.captions import predict as predict_text
from models.training.cards import fusion_card
from models.training.checkpoint import check_out, save_checkpoint
from models.training.clips import load_clips
from models.training.config import FusionTraining, VideoTraining
from models.training.data import Split, load_captions
from models.training.evaluate import Figures, calibrate, calibrated, measure
from models.training.loop import Report, Task, fit, log_progress
from models.training.pairs import Pairs, Pool, draw_pairs
from models.training.video import predict as predict_video
from models.training.video import read_states, unseen_states

_TEXT_SHARE = 0.3
"""Of the late score that fusion is compared with; the video's is the rest."""


@dataclass(frozen=True)
class _Parts:
    """The models whose states fusion reads."""

    text: Loaded[HybridTextModel | NgramTextModel]
    video: Loaded[MotionVideoModel]
    tokenizer: Tokenizer


def train_fusion(config: FusionTraining, report: Report = log_progress) -> dict[str, Figures]:
    """Train on pairs of the train splits, calibrate on one half of validation, pass or fail the gate on the other.

    Returns:
        Figures by what was measured, fusion beside what it must beat; the card holds them too.

    Raises:
        ConfigError: the data, the models or the folder cannot be used.
        MediaError: a clip cannot be decoded.
    """
    check_out(config.out)
    torch.manual_seed(config.random_state)
    torch.set_num_threads(config.threads)
    parts = _load_parts(config)
    train, validation, test = (_pool(config, parts, split) for split in ("train", "validation", "test"))
    chooser, gate = validation.half(is_gate=False), validation.half(is_gate=True)
    model = _build(config, parts, train)
    choosing = draw_pairs(chooser, config.validation_pairs, random_state=config.random_state + 1)
    fit(model, _task(config, model, parts, (train, chooser, choosing)), config.loop, report)
    calibrate(model.config, choosing.truth, _logits(model, parts, chooser, choosing))
    model.config.thresholds = {HARMFUL_LABEL: 0.5}
    gate_pairs = draw_pairs(gate, config.validation_pairs, random_state=config.random_state + 2)
    reached = measure(gate_pairs.truth, predict(model, parts, gate, gate_pairs), 0.5)
    model.config.passed_gate = reached.macro_f1 >= config.gate
    save_checkpoint(model, config.out, {})
    saved = CrossFusionModel.from_pretrained(config.out, dtype=torch.float32)
    figures = {"gate: fusion": reached} | _compare(saved, parts, test, config)
    (config.out / "README.md").write_text(fusion_card(config, saved, figures))
    return figures


def predict(
    model: CrossFusionModel, parts: _Parts, pool: Pool, pairs: Pairs, *, keep: tuple[bool, bool] = (True, True)
) -> NDArray[np.float64]:
    """(N,) probabilities as served, with (text, video) there or not."""
    return calibrated(model.config, _logits(model, parts, pool, pairs, keep=keep))


def _load_parts(config: FusionTraining) -> _Parts:
    text, video = load_text(config.models / "text"), load_video(config.models / "video")
    if not (isinstance(text.network, HybridTextModel | NgramTextModel) and isinstance(video.network, MotionVideoModel)):
        raise ConfigError(f"fusion trains over models of `clipwarden train`; {config.models} holds others")
    tokenizer = Tokenizer.from_file(str(config.models / "text" / "tokenizer.json"))
    return _Parts(text, video, tokenizer)


def _pool(config: FusionTraining, parts: _Parts, split: Split) -> Pool:
    captions = load_captions(config.data, split, sources=config.sources, random_state=config.random_state)
    clips = load_clips(config.data, parts.video.network, cache=config.cache).of(split)
    if split == "train":
        # The head saw these clips: its own logits would look far surer here than on any other clip.
        folds = VideoTraining(data=config.data, out=config.out, random_state=config.random_state)
        states = unseen_states(folds, parts.video.network, clips)
    else:
        states = read_states(parts.video.network, clips)
    return Pool(clips, states, captions, encode(parts.tokenizer, captions.table["text"]))


def _build(config: FusionTraining, parts: _Parts, train: Pool) -> CrossFusionModel:
    text = parts.text.network
    return CrossFusionModel(
        CrossFusionConfig(
            text_dim=text.config.hidden + len(text.config.labels),
            video_dim=train.video_states.shape[2],
            dim=config.dim,
            trained_over={"text": parts.text.fingerprint, "video": parts.video.fingerprint},
            clipwarden_version=config.version,
        )
    )


def _task(config: FusionTraining, model: CrossFusionModel, parts: _Parts, pools: tuple[Pool, Pool, Pairs]) -> Task:
    train, chooser, choosing = pools
    pairs = draw_pairs(train, config.train_pairs, random_state=config.random_state)

    def batches() -> Iterable[torch.Tensor]:
        return torch.split(torch.randperm(len(pairs)), config.loop.batch_size)

    def loss(batch: torch.Tensor) -> torch.Tensor:
        is_there = _drop_modalities(len(batch), config.modality_dropout)
        target = (pairs.harmful[batch] & is_there).any(1).float()
        text = _text_states(parts, train, pairs, batch, ngram_keep=config.ngram_keep)
        logits = model.logits(*text, train.video_states[pairs.clip_rows[batch]], is_there)
        return functional.binary_cross_entropy_with_logits(logits[:, 0], target)

    def score(averaged: nn.Module) -> float:
        return measure(choosing.truth, _logits(averaged, parts, chooser, choosing), 0.0).ap

    return Task(batches, loss, score)


def _drop_modalities(count: int, share: float) -> torch.Tensor:
    """(N, 2) bool: each modality is missing in `share` of the rows, never both."""
    drawn = torch.rand(count, 1)
    return torch.cat([drawn >= share, (drawn < share) | (drawn >= 2 * share)], dim=1)


def _text_states(
    parts: _Parts, pool: Pool, pairs: Pairs, batch: torch.Tensor, *, ngram_keep: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """States and their mask.

    On captions the text model was trained on, n-grams are dropped: it would be far surer there than on any other.
    """
    network = parts.text.network
    network.ngram_keep = ngram_keep
    network.train(ngram_keep < 1)
    with torch.no_grad():
        out = network(*pad([pool.ids[row] for row in pairs.caption_rows[batch].tolist()]))
    return out.states, out.state_mask


def _logits(
    model: nn.Module, parts: _Parts, pool: Pool, pairs: Pairs, *, keep: tuple[bool, bool] = (True, True)
) -> NDArray[np.float64]:
    """(N,) uncalibrated logits."""
    logits = []
    with torch.inference_mode():
        for batch in torch.split(torch.arange(len(pairs)), 256):
            is_there = torch.tensor([keep]).expand(len(batch), 2)
            text = _text_states(parts, pool, pairs, batch)
            video = pool.video_states[pairs.clip_rows[batch]]
            logits.append(model.logits(*text, video, is_there)[:, 0])  # type: ignore[operator]  # torch: a module
    return torch.cat(logits).double().numpy()


def _compare(model: CrossFusionModel, parts: _Parts, test: Pool, config: FusionTraining) -> dict[str, Figures]:
    """Fusion on test pairs, beside the late scores and single modalities it must beat, each at 0.5."""
    pairs = draw_pairs(test, config.validation_pairs, random_state=config.random_state + 3)
    text, video = _single_scores(parts, test, pairs)
    scores = {
        "fusion": predict(model, parts, test, pairs),
        f"late score, {_TEXT_SHARE} text": _TEXT_SHARE * text + (1 - _TEXT_SHARE) * video,
        "larger of text and video": np.maximum(text, video),
        "text model alone": text,
        "video model alone": video,
    }
    figures = {f"test: {name}": measure(pairs.truth, score, 0.5) for name, score in scores.items()}
    alone = {"text": (True, False), "video": (False, True)}
    for column, (name, keep) in enumerate(alone.items()):
        truth = pairs.harmful[:, column].numpy()
        own = (text, video)[column]
        figures[f"test, {name} label: fusion given {name} only"] = measure(
            truth, predict(model, parts, test, pairs, keep=keep), 0.5
        )
        figures[f"test, {name} label: {name} model"] = measure(truth, own, 0.5)
    return figures


def _single_scores(parts: _Parts, pool: Pool, pairs: Pairs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N,) harmful probability of each modality's own model."""
    parts.text.network.train(mode=False)
    text = predict_text(parts.text.network, pool.ids)[:, 0].astype(np.float64)
    video = predict_video(parts.video.network, pool.clips).astype(np.float64)
    return text[pairs.caption_rows.numpy()], video[pairs.clip_rows.numpy()]
