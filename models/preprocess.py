"""uint8 frames → what a video network takes: the one function training and serving share. Captions: tokenizer.json."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch

_CHANNELS = 3
_CLIP_AXES = 5


@dataclass(frozen=True)
class PixelScale:
    """(pixel - mean) / std per channel, both in uint8's 0-255."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def scale_pixels(clips: torch.Tensor, offset: torch.Tensor, factor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """(B, T, H, W, 3) uint8 → (B, T, 3, H, W), each channel times its factor plus its offset."""
    return torch.addcmul(offset, clips.float(), factor).to(dtype).permute(0, 1, 4, 2, 3)


def normalise_pixels(
    clips: torch.Tensor,
    scale: PixelScale,
    dtype: torch.dtype = torch.float32,
    *,
    by: Callable[..., torch.Tensor] = scale_pixels,
) -> torch.Tensor:
    """(B, T, H, W, 3) uint8 RGB → (B, T, 3, H, W) on the same device.

    The result is a view of channels-last memory: per frame it needs no copy to be what convolutions like best.
    `by` computes it: scale_pixels, or that compiled.

    Raises:
        ValueError: another shape or dtype.
    """
    if clips.ndim != _CLIP_AXES or clips.shape[-1] != _CHANNELS or clips.dtype != torch.uint8:
        raise ValueError(f"clips must be (B, T, H, W, 3) uint8, not {tuple(clips.shape)} {clips.dtype}")
    return by(clips, *_constants(scale, clips.device), dtype)


# Kept: a copy from the host in every batch would wait for the device, and cannot be recorded there.
@lru_cache(maxsize=64)
@torch.inference_mode(mode=False)
def _constants(scale: PixelScale, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    mean = torch.tensor(scale.mean, device=device)
    inverse_std = 1 / torch.tensor(scale.std, device=device)
    return -mean * inverse_std, inverse_std
