"""uint8 frames → what a video network takes: the one function training and serving share. Captions: tokenizer.json."""

from dataclasses import dataclass

import torch

_CHANNELS = 3
_CLIP_AXES = 5


@dataclass(frozen=True)
class PixelScale:
    """(pixel - mean) / std per channel, both in uint8's 0-255."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def normalise_pixels(clips: torch.Tensor, scale: PixelScale, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """(B, T, H, W, 3) uint8 RGB → (B, T, 3, H, W) on the same device.

    The result is a view of channels-last memory: per frame it needs no copy to be what convolutions like best.

    Raises:
        ValueError: another shape or dtype.
    """
    if clips.ndim != _CLIP_AXES or clips.shape[-1] != _CHANNELS or clips.dtype != torch.uint8:
        raise ValueError(f"clips must be (B, T, H, W, 3) uint8, not {tuple(clips.shape)} {clips.dtype}")
    mean = torch.tensor(scale.mean, device=clips.device)
    inverse_std = 1 / torch.tensor(scale.std, device=clips.device)
    return torch.addcmul(-mean * inverse_std, clips.float(), inverse_std).to(dtype).permute(0, 1, 4, 2, 3)
