"""Frames → feature maps: EfficientNet-Lite0's convolutions with the batch norms folded in, cut after any stage.

Source: github.com/tensorflow/tpu, models/official/efficientnet/lite (architecture and TensorFlow's "same" padding).
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

STEM_CHANNELS = 32
MEAN, STD = 127.0, 128.0
"""What the published weights expect of uint8 pixels: (pixel - MEAN) / STD."""


@dataclass(frozen=True)
class Stage:
    """Blocks of one width: how many, kernel, stride of the first, expansion, channels out."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


LITE0 = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class SameConv(nn.Conv2d):
    """A convolution that pads as TensorFlow does (what is odd goes right and below), its output cut to 0..6 if asked.

    Attributes:
        is_fused: cut inside the convolution's kernel: the same numbers without another pass over memory.
    """

    def __init__(self, wide: tuple[int, int], kernel: int, *, stride: int = 1, groups: int = 1, cut: bool) -> None:
        super().__init__(*wide, kernel, stride=stride, groups=groups)
        self._cut = cut
        self.is_fused = False

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) → (N, C', ceil(H / stride), ceil(W / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        padding = kernel // 2 if stride == 1 else 0
        if stride > 1:
            (top, bottom), (left, right) = (_same(size, kernel, stride) for size in maps.shape[-2:])
            maps = functional.pad(maps, (left, right, top, bottom))
        if self._cut and self.is_fused:
            return self._convolve_and_cut(maps, padding)
        out = functional.conv2d(maps, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)
        return functional.relu6(out) if self._cut else out

    def _convolve_and_cut(self, maps: torch.Tensor, padding: int) -> torch.Tensor:
        places = [padding] * 2, self.stride, self.dilation, self.groups
        out: torch.Tensor = torch.ops.mkldnn._convolution_pointwise(  # noqa: SLF001 - what torch's own compiler calls
            maps, self.weight, self.bias, *places, "hardtanh", [0.0, 6.0], ""
        )
        return out


class Block(nn.Module):
    """Widen, filter each channel, narrow; added to its input where the shapes agree."""

    def __init__(self, channels_in: int, stage: Stage, stride: int) -> None:
        super().__init__()
        wide = channels_in * stage.expansion
        self.expand = SameConv((channels_in, wide), 1, cut=True) if stage.expansion > 1 else None
        self.depthwise = SameConv((wide, wide), stage.kernel, stride=stride, groups=wide, cut=True)
        self.project = SameConv((wide, stage.channels), 1, cut=False)
        self.is_residual = stride == 1 and channels_in == stage.channels

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) → (N, C', H', W')."""
        wide = maps if self.expand is None else self.expand(maps)
        narrow: torch.Tensor = self.project(self.depthwise(wide))
        return maps + narrow if self.is_residual else narrow


class Trunk(nn.Module):
    """The stem and the first `stages` stages."""

    def __init__(self, stages: int) -> None:
        super().__init__()
        self.stem = SameConv((3, STEM_CHANNELS), 3, stride=2, cut=True)
        self.stages = nn.ModuleList()
        channels = STEM_CHANNELS
        for stage in LITE0[:stages]:
            strides = (stage.stride, *[1] * (stage.blocks - 1))
            widths = (channels, *[stage.channels] * (stage.blocks - 1))
            blocks = (Block(width, stage, stride) for width, stride in zip(widths, strides, strict=True))
            self.stages.append(nn.Sequential(*blocks))
            channels = stage.channels

    def forward(self, frames: torch.Tensor) -> list[torch.Tensor]:
        """Normalised frames (N, 3, H, W) → the maps after each stage."""
        maps = self.stem(frames)
        outputs = []
        for stage in self.stages:
            maps = stage(maps)
            outputs.append(maps)
        return outputs

    def fuse(self) -> None:
        """Compute on this CPU for inference alone; without oneDNN nothing changes."""
        for layer in self.modules():
            if isinstance(layer, SameConv):
                layer.is_fused = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # torch's own


def _same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2
