"""A frame → a small JPEG with only colours and large shapes left: nothing of it can be made sharp again. Pure."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from dashboard.data.wellness import Blur, Veil

LONG_SIDE_PX = 240
QUALITY = 70
KEPT_PX = {Blur.LIGHT: 24, Blur.MEDIUM: 16, Blur.STRONG: 9}
"""How many points along its longer side the picture is reduced to, whatever it is enlarged to again."""


def blurred_jpeg(frame: NDArray[np.uint8], *, width_px: int, height_px: int, veil: Veil) -> bytes:
    """The frame in the given shape's proportions, LONG_SIDE_PX long.

    Args:
        frame: (H, W, 3) uint8 RGB, of any proportions.
        width_px: of the video as it is shown; only the proportion counts.
        height_px: as width_px.
        veil: how little is left, and whether without colour.
    """
    shown = _fit(width_px, height_px, LONG_SIDE_PX)
    few = Image.fromarray(frame).resize(_fit(width_px, height_px, KEPT_PX[veil.blur]), Image.Resampling.BOX)
    step_px = LONG_SIDE_PX / KEPT_PX[veil.blur]
    smooth = few.resize(shown, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(step_px / 2))
    out = io.BytesIO()
    (smooth.convert("L") if veil.greyscale else smooth).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _fit(width_px: int, height_px: int, long_px: int) -> tuple[int, int]:
    scale = long_px / max(width_px, height_px, 1)
    return max(2, round(width_px * scale)), max(2, round(height_px * scale))
