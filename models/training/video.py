"""`clipwarden train video`: labelled clips → a video checkpoint: published trunk, own head, calibration and card."""

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from models.networks.video import MotionVideoConfig, MotionVideoModel
from models.training.cards import video_card
from models.training.checkpoint import check_out, save_checkpoint
from models.training.clips import Clips, batched, load_clips
from models.training.config import VideoTraining
from models.training.data import SPLITS
from models.training.evaluate import Figures, measure, scale
from models.training.heads import assign_folds, build_head, choose_head, cross_validate, stranger_folds
from models.training.pretrained import load_imagenet_trunk
from models.training.tables import refuse_one_class


def train_video(config: VideoTraining) -> dict[str, Figures]:
    """Fit the head on train, calibrate it on clips it has not seen, save, and measure the saved weights once on test.

    Folds never share a group (a camera or source video): a head that knows a camera looks better than it is.

    Returns:
        Figures by what they were measured on; the card holds them too.

    Raises:
        ConfigError: the data or the folder cannot be used.
        MediaError: a clip cannot be decoded.
    """
    check_out(config.out)
    torch.manual_seed(config.random_state)
    torch.set_num_threads(config.threads)
    model = _build(config)
    clips = load_clips(config.data, model, cache=config.cache)
    for split in SPLITS:
        refuse_one_class(clips.table, split, config.data / "video")
    train = clips.of("train")
    choice = choose_head(config, train)
    _set_head(model, build_head(choice.inverse_penalty).fit(train.features, train.harmful))
    _set_projection(model, train)
    scale(model.config, train.harmful, choice.unseen_logits)
    model.config.thresholds = dict.fromkeys(model.config.labels, 0.5)
    save_checkpoint(model, config.out, {})
    saved = MotionVideoModel.from_pretrained(config.out, dtype=torch.float32)
    figures = _measure(config, saved, clips)
    (config.out / "README.md").write_text(video_card(config, saved, clips, figures))
    return figures


def predict(model: MotionVideoModel, clips: Clips) -> NDArray[np.float32]:
    """(N,) probabilities as served, from what the trunk saw."""
    with torch.inference_mode():
        probabilities: NDArray[np.float32] = model.probability(model.head(torch.from_numpy(clips.features)))[
            :, 0
        ].numpy()
    return probabilities


def _build(config: VideoTraining) -> MotionVideoModel:
    network_config = MotionVideoConfig(
        stages=config.stages,
        grid=config.grid,
        busiest=config.busiest,
        num_frames=config.num_frames,
        size_px=config.size_px,
        window_frames=config.window_frames,
        state_dim=config.state_dim,
        clipwarden_version=config.version,
    )
    model = MotionVideoModel(network_config)
    model.trunk = load_imagenet_trunk(max(config.stages)).half().float()
    model.train(mode=False)
    return model


def unseen_states(config: VideoTraining, model: MotionVideoModel, clips: Clips) -> torch.Tensor:
    """(N, T', D) states whose logits come from heads that had not seen the clip's group."""
    penalty = choose_head(config, clips).inverse_penalty
    stranger, states = copy.deepcopy(model), read_states(model, clips)
    for seen, unseen in stranger_folds(config, clips):
        _set_head(stranger, build_head(penalty).fit(clips.features[seen], clips.harmful[seen]))
        states[unseen] = read_states(stranger, clips)[unseen]
    return states


def read_states(model: MotionVideoModel, clips: Clips) -> torch.Tensor:
    """(N, T', D) states of clips."""
    with torch.no_grad():
        return torch.cat([model.read(*maps).states for maps in batched(clips.maps)])


def _set_head(model: MotionVideoModel, head: Pipeline) -> None:
    """Fold the standardisation into the weights."""
    scaler, regression = head[0], head[1]
    weight = regression.coef_ / scaler.scale_
    bias = regression.intercept_ - weight @ scaler.mean_
    model.head.weight.data = torch.from_numpy(weight).float()
    model.head.bias.data = torch.from_numpy(bias).float()


def _set_projection(model: MotionVideoModel, train: Clips) -> None:
    """States are the standardised features' main directions on the training clips."""
    scaler = StandardScaler().fit(train.features)
    standard = torch.from_numpy(scaler.transform(train.features)).float()
    _, spread, directions = torch.pca_lowrank(standard, q=model.config.state_dim - 1, niter=8)
    weight = (directions / (spread / len(train) ** 0.5)).T / torch.from_numpy(scaler.scale_).float()
    model.project.weight.data = weight
    model.project.bias.data = -(weight @ torch.from_numpy(scaler.mean_).float())


def _measure(config: VideoTraining, model: MotionVideoModel, clips: Clips) -> dict[str, Figures]:
    figures = _measure_folds(config, clips)
    for split in ("validation", "test"):
        part = clips.of(split)
        figures[split] = measure(part.harmful, predict(model, part), 0.5)
    return figures


def _measure_folds(config: VideoTraining, clips: Clips) -> dict[str, Figures]:
    """The recipe on sources that hold both labels, whatever the split; train clips of the others train in every fold.

    Clips of a source with one label are told by their source: asking about them would flatter every figure.
    """
    labels = clips.table.groupby("source")["label"].transform("nunique").to_numpy()
    clips = clips.where((labels > 1) | (clips.table["split"] == "train").to_numpy())
    is_mixed = clips.table.groupby("source")["label"].transform("nunique").to_numpy() > 1
    folds = assign_folds(config, clips, is_mixed)
    said = cross_validate(config, clips, folds)
    parts = {f"{config.folds} folds of groups, every split": is_mixed}
    parts |= {f"fold {number + 1}": folds == number for number in range(config.folds)}
    return {name: measure(clips.harmful[part], said[part], 0.5) for name, part in parts.items()}
