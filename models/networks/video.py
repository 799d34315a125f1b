"""Clips → label probabilities and moment states: how a frozen trunk's features and the pixels move over time."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from models.networks.config import OwnConfig
from models.networks.outputs import VideoOutput
from models.networks.trunk import LITE0, MEAN, STD, Trunk
from models.preprocess import PixelScale, normalise_pixels

_CELLS = 8
_BUSIEST = 8
_FLOOR = 1e-3
PIXEL_FEATURES = 11


class MotionVideoConfig(OwnConfig):  # type: ignore[no-untyped-call]  # transformers' hook has no types
    """Sizes of the network, and what validation set.

    Attributes:
        stages: of the trunk; features come from the last.
        window_frames: how many frames around a frame make its moment.
        state_dim: width of a moment's state; its last place holds the moment's logit.
    """

    model_type = "clipwarden-video"

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - transformers' own signature
        self.stages: int = kwargs.pop("stages", len(LITE0))
        self.num_frames: int = kwargs.pop("num_frames", 16)
        self.size_px: int = kwargs.pop("size_px", 128)
        self.window_frames: int = kwargs.pop("window_frames", 5)
        self.state_dim: int = kwargs.pop("state_dim", 25)
        self.image_mean: list[float] = kwargs.pop("image_mean", [MEAN] * 3)
        self.image_std: list[float] = kwargs.pop("image_std", [STD] * 3)
        kwargs.setdefault("id2label", {0: "harmful", 1: "violence"})
        super().__init__(**kwargs)

    @property
    def features(self) -> int:
        """How many numbers describe the motion of a clip."""
        return 2 * LITE0[self.stages - 1].channels + PIXEL_FEATURES


class MotionVideoModel(PreTrainedModel):  # type: ignore[no-untyped-call]  # transformers' hook has no types
    """A linear reading of temporal statistics; every label is the same question, so they share one probability."""

    config: MotionVideoConfig
    config_class = MotionVideoConfig
    base_model_prefix = "video"
    main_input_name = "clips"
    half_modules = ("trunk",)

    def __init__(self, config: MotionVideoConfig) -> None:
        super().__init__(config)
        self.trunk = Trunk(config.stages)
        self.head = nn.Linear(config.features, 1)
        self.project = nn.Linear(config.features, config.state_dim - 1)
        mean_red, mean_green, mean_blue = config.image_mean
        std_red, std_green, std_blue = config.image_std
        self.scale = PixelScale((mean_red, mean_green, mean_blue), (std_red, std_green, std_blue))
        self.post_init()  # type: ignore[no-untyped-call]  # transformers' own

    def _init_weights(self, module: nn.Module) -> None:
        """Keep what torch set: every part of it is a torch layer."""

    def forward(self, clips: torch.Tensor) -> VideoOutput:
        """Score (B, T, H, W, 3) uint8 clips; the first state sums up the clip, the others are the moments in turn."""
        return self.read(*self.describe(clips))

    def fuse(self) -> None:
        """Compute on this CPU for inference alone."""
        self.trunk.fuse()

    def read(self, frames: torch.Tensor, motion: torch.Tensor) -> VideoOutput:
        """Score clips from what the frozen part saw of them."""
        whole = clip_features(frames, motion)
        moments = self._moments(frames, motion)
        logit, moment_logits = self.head(whole), self.head(moments).squeeze(2)
        around_clip = logit + moment_logits - moment_logits.mean(1, keepdim=True)
        everything = torch.cat([whole.unsqueeze(1), moments], dim=1)
        states = torch.cat([self.project(everything), self.head(everything)], dim=2)
        probability = self.probability(logit)
        labels = len(self.config.labels)
        return VideoOutput(probability.expand(-1, labels).contiguous(), states, self.probability(around_clip))

    def describe(self, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What the frozen part sees, float32: features of each frame (B, T, C), cell motion (B, T - 1, cells)."""
        batch, length = clips.shape[:2]
        pixels = normalise_pixels(clips, self.scale)
        maps = self.trunk(pixels.flatten(0, 1).to(self.trunk.stem.weight.dtype))[-1]
        grey = pixels.mean(2)
        change = functional.adaptive_avg_pool2d((grey[:, 1:] - grey[:, :-1]).abs(), _CELLS)
        return maps.float().mean((2, 3)).view(batch, length, -1), change.flatten(2)

    def probability(self, logits: torch.Tensor) -> torch.Tensor:
        """Calibrated."""
        return torch.sigmoid((logits + self.config.calibration_bias) / self.config.calibration_temperature)

    def _moments(self, frames: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
        """(B, T, features): the same statistics over the few frames around each."""
        size = min(self.config.window_frames, frames.shape[1])
        starts = (torch.arange(frames.shape[1]) - size // 2).clamp(0, frames.shape[1] - size).tolist()
        return torch.stack(
            [clip_features(frames[:, at : at + size], motion[:, at : at + size - 1]) for at in starts], dim=1
        )


def clip_features(frames: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
    """(B, T, C) frame features and (B, T - 1, cells) motion → (B, 2 C + PIXEL_FEATURES) logarithms of statistics."""
    spread = frames.std(1, correction=0)
    steps = (frames[:, 1:] - frames[:, :-1]).abs().mean(1)
    everywhere = motion.mean(2)
    cells = motion.sort(2, descending=True).values
    hottest, hot = cells[:, :, 0], cells[:, :, :_BUSIEST].mean(2)
    pixels = [
        statistic
        for series in (everywhere, hottest, hot)
        for statistic in (series.mean(1), series.std(1, correction=0), series.amax(1))
    ]
    local = motion.std(1, correction=0).mean(1)
    focus = (hottest / (everywhere + _FLOOR)).mean(1)
    numbers = torch.cat([spread, steps, torch.stack([*pixels, local, focus], dim=1)], dim=1)
    return (numbers + _FLOOR).log()
