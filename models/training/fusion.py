"""`clipwarden train fusion`: two trained models and pairs of their data → a fusion checkpoint, its gate and card."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

from core.errors import ConfigError
from core.labels import HARMFUL_LABEL
from models.networks.config import OwnConfig
from models.networks.fusion import CrossFusionConfig, CrossFusionModel
from models.networks.hybrid import HybridTextModel
from models.networks.loading import Loaded, load_text, load_video
from models.networks.video import MotionVideoModel
from models.training.captions import encode, pad
from models.training.captions import predict as predict_text
from models.training.cards import fusion_card
from models.training.checkpoint import check_out, save_checkpoint
from models.training.clips import Clips, load_clips
from models.training.config import FusionTraining, VideoTraining
from models.training.data import Split, load_captions
from models.training.evaluate import Figures, calibrate, log_loss, measure, scale
from models.training.loop import Report, Task, fit, log_progress
from models.training.pairs import Pairs, Pool, draw_pairs
from models.training.video import predict as predict_video
from models.training.video import read_states, unseen_states

_TEXT_SHARE = 0.3
"""Of the late score that fusion is compared with; the video's is the rest."""
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How much of the attention's correction may count."""


@dataclass(frozen=True)
class _Parts:
    """The models whose states fusion reads."""

    text: Loaded[HybridTextModel]
    video: Loaded[MotionVideoModel]
    tokenizer: Tokenizer


@dataclass(frozen=True)
class _Pools:
    """Clips and captions apart: what trains, what chooses epoch and calibration, what is the gate, what is test."""

    train: Pool
    chooser: Pool
    gate: Pool
    test: Pool


def train_fusion(config: FusionTraining, report: Report = log_progress) -> dict[str, Figures]:
    """Train on pairs of train, calibrate on pairs it has not seen, pass or fail the gate on pairs that chose nothing.

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
    pools = _pools(config, parts)
    model = _build(config, parts, pools.train)
    choosing = draw_pairs(pools.chooser, config.validation_pairs, random_state=config.random_state + 1)
    fit(model, _task(config, model, parts, (pools.train, pools.chooser, choosing)), config.loop, report)
    _settle(model, parts, pools.chooser, choosing)
    gate_pairs = draw_pairs(pools.gate, config.validation_pairs, random_state=config.random_state + 2)
    reached = measure(gate_pairs.truth, predict(model, parts, pools.gate, gate_pairs), 0.5)
    model.config.passed_gate = reached.macro_f1 >= config.gate
    save_checkpoint(model, config.out, {})
    saved = CrossFusionModel.from_pretrained(config.out, dtype=torch.float32)
    figures = {"gate: fusion": reached} | _compare(saved, parts, pools.test, config)
    (config.out / "README.md").write_text(fusion_card(config, saved, figures))
    return figures


def predict(
    model: CrossFusionModel, parts: _Parts, pool: Pool, pairs: Pairs, *, keep: tuple[bool, bool] = (True, True)
) -> NDArray[np.float64]:
    """(N,) probabilities as served, with (text, video) there or not."""

    def score(text: torch.Tensor, mask: torch.Tensor, video: torch.Tensor) -> torch.Tensor:
        said: torch.Tensor = model(text, mask, video, torch.tensor([keep]).expand(len(text), 2))
        return said

    return _over_pairs(score, parts, pool, pairs)


def _load_parts(config: FusionTraining) -> _Parts:
    text, video = load_text(config.models / "text"), load_video(config.models / "video")
    if not (isinstance(text.network, HybridTextModel) and isinstance(video.network, MotionVideoModel)):
        raise ConfigError(f"fusion trains over models of `clipwarden train`; {config.models} holds others")
    # As served, and three times as fast.
    text.network.encoder.bfloat16()
    tokenizer = Tokenizer.from_file(str(config.models / "text" / "tokenizer.json"))
    return _Parts(text, video, tokenizer)


def _pools(config: FusionTraining, parts: _Parts) -> _Pools:
    train, validation, test = (_pool(config, parts, split) for split in ("train", "validation", "test"))
    groups, kept = set(train.clips.table["group"]), choosing_groups(config, train.clips)
    chooser = train.clips_of(kept).with_captions_of(validation.half_of_captions(is_gate=False))
    fitted = train.clips_of(groups - kept)
    return _Pools(fitted, chooser, validation.half_of_captions(is_gate=True), test)


def choosing_groups(config: FusionTraining, clips: Clips) -> set[str]:
    """The groups of train whose clips choose epoch and calibration instead of training."""
    return set(sorted(clips.table["group"].unique())[:: config.choosing_groups])


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
    text = parts.text.network.config
    calibrations = {"text": text, "video": parts.video.network.config}
    return CrossFusionModel(
        CrossFusionConfig(
            text_dim=text.hidden + len(text.labels),
            video_dim=train.video_states.shape[2],
            text_logit=text.hidden,
            alone={name: [own.calibration_temperature, own.calibration_bias] for name, own in calibrations.items()},
            dim=config.dim,
            trained_over={"text": parts.text.fingerprint, "video": parts.video.fingerprint},
            clipwarden_version=config.version,
        )
    )


def _task(config: FusionTraining, model: CrossFusionModel, parts: _Parts, pools: tuple[Pool, Pool, Pairs]) -> Task:
    train, chooser, choosing = pools
    pairs = draw_pairs(train, config.train_pairs, random_state=config.random_state)
    _scale_text(model, parts, train, pairs, ngram_keep=config.ngram_keep)

    def batches() -> Iterable[torch.Tensor]:
        return torch.split(torch.randperm(len(pairs)), config.loop.batch_size)

    def loss(batch: torch.Tensor) -> torch.Tensor:
        target = pairs.harmful[batch].any(1).float()
        text = _text_states(parts, train, pairs, batch, ngram_keep=config.ngram_keep)
        logits = model.logits(*text, train.video_states[pairs.clip_rows[batch]])
        return functional.binary_cross_entropy_with_logits(logits[:, 0], target)

    def score(averaged: nn.Module) -> float:
        logits = cast(CrossFusionModel, averaged).logits
        return measure(choosing.truth, _over_pairs(logits, parts, chooser, choosing), 0.0).ap

    return Task(batches, loss, score)


def _settle(model: CrossFusionModel, parts: _Parts, chooser: Pool, choosing: Pairs) -> None:
    """Set what the pairs that trained nothing decide: the text logit's scale, the correction's share, the cut."""
    _scale_text(model, parts, chooser, choosing)
    either = _over_pairs(lambda text, _, video: model.either(text, video), parts, chooser, choosing)
    correction = _over_pairs(model.correction, parts, chooser, choosing)
    share = min(_SHARES, key=lambda share: log_loss(choosing.truth, either + share * correction))
    model.config.correction = share
    calibrate(model.config, choosing.truth, either + share * correction)
    model.config.thresholds = {HARMFUL_LABEL: 0.5}


def _scale_text(model: CrossFusionModel, parts: _Parts, pool: Pool, pairs: Pairs, *, ngram_keep: float = 1.0) -> None:
    """Make the text logit a probability among these pairs: 0.5 is the text model's best cut, not its even odds."""

    def own(text: torch.Tensor, _mask: torch.Tensor, video: torch.Tensor) -> torch.Tensor:
        return model.own_logits(text, video)[0]

    calibration = OwnConfig()
    scale(calibration, pairs.harmful[:, 0].numpy(), _over_pairs(own, parts, pool, pairs, ngram_keep=ngram_keep))
    model.config.text_among_pairs = [calibration.calibration_temperature, calibration.calibration_bias]


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


def _over_pairs(
    score: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor],
    parts: _Parts,
    pool: Pool,
    pairs: Pairs,
    *,
    ngram_keep: float = 1.0,
) -> NDArray[np.float64]:
    """(N,) what a function of text states, their mask and video states says."""
    said = []
    with torch.inference_mode():
        for batch in torch.split(torch.arange(len(pairs)), 256):
            text = _text_states(parts, pool, pairs, batch, ngram_keep=ngram_keep)
            said.append(score(*text, pool.video_states[pairs.clip_rows[batch]])[:, 0])
    return torch.cat(said).double().numpy()


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
