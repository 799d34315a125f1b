"""`clipwarden train video`: labelled clips → a video checkpoint: published trunk, own head, calibration and card."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from models.networks.video import MotionVideoConfig, MotionVideoModel
from models.training.cards import video_card
from models.training.checkpoint import check_out, save_checkpoint
from models.training.clips import Clips, load_clips
from models.training.config import VideoTraining
from models.training.evaluate import Figures, calibrate, measure
from models.training.pretrained import load_imagenet_trunk

_REPEATS = 4


@dataclass(frozen=True)
class _Choice:
    """A penalty, and the logits each clip got from heads that had not seen its group."""

    inverse_penalty: float
    unseen_logits: NDArray[np.float64]


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
    train = clips.of("train")
    choice = _choose(config, train)
    _set_head(model, _head(choice.inverse_penalty).fit(train.features, train.harmful))
    _set_projection(model, train)
    calibrate(model.config, train.harmful, choice.unseen_logits)
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


def cross_validate(config: VideoTraining, clips: Clips) -> NDArray[np.float64]:
    """(N,) probabilities from heads that had not seen the clip's group: of the recipe, not of any saved weights."""
    return np.asarray(1 / (1 + np.exp(-_choose(config, clips).unseen_logits)))


def _build(config: VideoTraining) -> MotionVideoModel:
    network_config = MotionVideoConfig(
        stages=config.stages,
        num_frames=config.num_frames,
        size_px=config.size_px,
        window_frames=config.window_frames,
        state_dim=config.state_dim,
        clipwarden_version=config.version,
    )
    model = MotionVideoModel(network_config)
    model.trunk = load_imagenet_trunk(config.stages).half().float()
    model.train(mode=False)
    return model


def _head(inverse_penalty: float) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=inverse_penalty, max_iter=1000))


def _choose(config: VideoTraining, clips: Clips) -> _Choice:
    """The penalty with the least log loss on groups left out."""
    choices = [_Choice(c, _unseen_logits(config, clips, c)) for c in config.inverse_penalties]
    return min(choices, key=lambda choice: _log_loss(clips.harmful, choice.unseen_logits))


def _unseen_logits(config: VideoTraining, clips: Clips, inverse_penalty: float) -> NDArray[np.float64]:
    """Per clip, the mean over several draws of folds."""
    features, truth, groups = clips.features, clips.harmful, clips.table["group"].to_numpy()
    logits = np.zeros(len(clips))
    for repeat in range(_REPEATS):
        folds = StratifiedGroupKFold(config.folds, shuffle=True, random_state=config.random_state + repeat)
        for seen, unseen in folds.split(features, truth, groups):
            head = _head(inverse_penalty).fit(features[seen], truth[seen])
            logits[unseen] += head.decision_function(features[unseen]) / _REPEATS
    return logits


def _log_loss(truth: NDArray[np.bool_], logits: NDArray[np.float64]) -> float:
    return float(np.mean(np.logaddexp(0, np.where(truth, -logits, logits))))


def unseen_states(config: VideoTraining, model: MotionVideoModel, clips: Clips) -> torch.Tensor:
    """(N, T', D) states whose logits come from heads that had not seen the clip's group."""
    penalty = _choose(config, clips).inverse_penalty
    folds = StratifiedGroupKFold(config.folds, shuffle=True, random_state=config.random_state)
    features, stranger = clips.features, copy.deepcopy(model)
    states = read_states(model, clips)
    for seen, unseen in folds.split(features, clips.harmful, clips.table["group"].to_numpy()):
        _set_head(stranger, _head(penalty).fit(features[seen], clips.harmful[seen]))
        states[unseen] = read_states(stranger, clips)[unseen]
    return states


def read_states(model: MotionVideoModel, clips: Clips) -> torch.Tensor:
    """(N, T', D) states of clips."""
    with torch.no_grad():
        return model.read(clips.frames, clips.motion).states


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
    both = clips.of("train", "validation")
    unseen = cross_validate(config, both)
    figures = {f"train + validation, {config.folds}-fold, groups apart": measure(both.harmful, unseen, 0.5)}
    for split in ("validation", "test"):
        part = clips.of(split)
        figures[split] = measure(part.harmful, predict(model, part), 0.5)
    return figures
