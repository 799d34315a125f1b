"""Clips → label probabilities and moment states: how a frozen trunk's features change where the clip moves most."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from models.networks.config import OwnConfig
from models.networks.outputs import VideoOutput
from models.networks.trunk import LITE0, MEAN, STD, Trunk
from models.preprocess import PixelScale, normalise_pixels

_FLOOR = 1e-3
_STATISTICS = 3


class MotionVideoConfig(OwnConfig):  # type: ignore[no-untyped-call]  # transformers' hook has no types
    """Sizes of the network, and what validation set.

    Attributes:
        stages: of the trunk, counted from 1, whose maps are read; the first of them also says where it moves.
        grid: cells along each side of a map; `busiest`: how many of them are read.
        window_frames: how many frames around a frame make its moment.
        state_dim: width of a moment's state; its last place holds the moment's logit.
    """

    model_type = "clipwarden-video"

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - transformers' own signature
        self.stages: list[int] = list(kwargs.pop("stages", (5, 7)))
        self.grid: int = kwargs.pop("grid", 7)
        self.busiest: int = kwargs.pop("busiest", 4)
        self.num_frames: int = kwargs.pop("num_frames", 16)
        self.size_px: int = kwargs.pop("size_px", 224)
        self.window_frames: int = kwargs.pop("window_frames", 5)
        self.state_dim: int = kwargs.pop("state_dim", 25)
        self.image_mean: list[float] = kwargs.pop("image_mean", [MEAN] * 3)
        self.image_std: list[float] = kwargs.pop("image_std", [STD] * 3)
        kwargs.setdefault("id2label", {0: "harmful", 1: "violence"})
        super().__init__(**kwargs)

    @property
    def features(self) -> int:
        """How many numbers describe the motion of a clip."""
        return _STATISTICS * sum(LITE0[stage - 1].channels for stage in self.stages)


class MotionVideoModel(PreTrainedModel):  # type: ignore[no-untyped-call]  # transformers' hook has no types
    """A linear reading of temporal statistics; every label is the same question, so they share one probability.

    Only the busiest cells are read: a fight fills a small part of a wide picture, and a mean over the picture hides it.
    """

    config: MotionVideoConfig
    config_class = MotionVideoConfig
    base_model_prefix = "video"
    main_input_name = "clips"
    half_modules = ("trunk",)
    has_fixed_shapes = True

    def __init__(self, config: MotionVideoConfig) -> None:
        super().__init__(config)
        self.trunk = Trunk(max(config.stages))
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

    def describe(self, clips: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What the frozen part sees: per stage read, (B, T, cells, C) float16.

        Half precision, so that what training keeps is, to the bit, what serving reads.
        """
        batch, length = clips.shape[:2]
        pixels = normalise_pixels(clips, self.scale, self.trunk.stem.weight.dtype)
        maps = self.trunk(pixels.flatten(0, 1))
        seen = (self._cells(maps[stage - 1]) for stage in self.config.stages)
        return tuple(part.view(batch, length, *part.shape[1:]) for part in seen)

    def read(self, *maps: torch.Tensor) -> VideoOutput:
        """Score clips from what the frozen part saw of them."""
        length = maps[0].shape[1]
        whole = self.features(torch.arange(length, device=maps[0].device).unsqueeze(0), *maps)
        moments = self.features(self._windows(maps[0]), *maps)
        everything = torch.cat([whole, moments], dim=1)
        logits = self.head(everything)
        states = torch.cat([self.project(everything), logits], dim=2)
        logit, moment_logits = logits[:, 0], logits[:, 1:, 0]
        around_clip = logit + moment_logits - moment_logits.mean(1, keepdim=True)
        labels = len(self.config.labels)
        probability = self.probability(logit).expand(-1, labels).contiguous()
        return VideoOutput(probability, states, self.probability(around_clip))

    def features(self, frames: torch.Tensor, *maps: torch.Tensor) -> torch.Tensor:
        """(W, S) numbers of frames and maps (B, T, cells, C) → (B, W, features): the motion within each W's frames."""
        cells = self._busiest(frames, maps[0])
        clip = torch.arange(len(cells), device=cells.device).view(-1, 1, 1, 1)
        where = clip, frames.view(1, *frames.shape, 1), cells.unsqueeze(2)
        return torch.cat([_statistics(part[where].float()) for part in maps], dim=2)

    def probability(self, logits: torch.Tensor) -> torch.Tensor:
        """Calibrated."""
        return torch.sigmoid((logits + self.config.calibration_bias) / self.config.calibration_temperature)

    def _cells(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) → (N, cells, C)."""
        pooled = functional.adaptive_avg_pool2d(maps.float(), self.config.grid)
        return pooled.flatten(2).transpose(1, 2).half()

    def _windows(self, maps: torch.Tensor) -> torch.Tensor:
        """(T, S): the few frames around each; at the ends they stay within the clip."""
        length = maps.shape[1]
        size = min(self.config.window_frames, length)
        starts = (torch.arange(length, device=maps.device) - size // 2).clamp(0, length - size)
        return starts.unsqueeze(1) + torch.arange(size, device=maps.device)

    def _busiest(self, frames: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
        """(B, W, K): the cells that change most from frame to frame, by the mean over channels."""
        steps = maps.float().diff(dim=1).abs().mean(3)
        change = steps[:, frames[:, :-1]].mean(2)
        return change.topk(min(self.config.busiest, change.shape[2]), dim=2).indices


def _statistics(values: torch.Tensor) -> torch.Tensor:
    """(B, W, S, K, C) → (B, W, 3 C): temporal spread, mean step (both as logarithms) and maximum, each over K cells."""
    spread = values.std(2, correction=0).mean(2)
    step = values.diff(dim=2).abs().mean((2, 3))
    highest = values.amax(2).mean(2)
    return torch.cat([(spread + _FLOOR).log(), (step + _FLOOR).log(), highest], dim=2)
