"""Frames of any shape → squares: the arithmetic every decoder shares."""

import numpy as np
from numpy.typing import NDArray

from core.media.protocol import ClipTarget, Resize

_MAX_ASPECT = 8


def scaled_sides(target: ClipTarget, width: int, height: int) -> tuple[int, int]:
    """Width and height to scale a frame to: the square itself, or for a crop its shorter side."""
    if target.resize != Resize.CROP:
        return target.size_px, target.size_px
    shorter = min(width, height)
    return _scaled(width, shorter, target.size_px), _scaled(height, shorter, target.size_px)


def cut_centre(frames: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """(..., H, W, 3) → (..., size_px, size_px, 3)."""
    top, left = (frames.shape[-3] - size_px) // 2, (frames.shape[-2] - size_px) // 2
    return frames[..., top : top + size_px, left : left + size_px, :]


def _scaled(side: int, shorter: int, size_px: int) -> int:
    # A strip of 8192x2 would become millions of pixels wide; what is far off centre is cut away anyhow.
    return min(round(side * size_px / shorter), size_px * _MAX_ASPECT)
