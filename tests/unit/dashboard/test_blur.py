"""A still that left the server cannot be made sharp."""

import io

import numpy as np
import pytest
from PIL import Image

from dashboard.blur import KEPT_PX, LONG_SIDE_PX, blurred_jpeg
from dashboard.data.wellness import Blur, Veil


def power_above(picture: np.ndarray, cycles: int) -> float:
    """The share of a picture's variation in details finer than this many cycles across it."""
    plain = picture.astype(float) - picture.mean()
    spectrum = np.abs(np.fft.fft2(plain)) ** 2
    rows, columns = (np.abs(np.fft.fftfreq(size) * size) for size in plain.shape)
    fine = np.maximum.outer(rows, columns) > cycles
    return float(spectrum[fine].sum() / max(spectrum.sum(), 1e-9))


@pytest.mark.parametrize("blur", list(Blur))
def test_no_detail_is_left_that_was_finer_than_what_is_kept(blur: Blur) -> None:
    rng = np.random.default_rng(1)
    fine = np.kron(rng.integers(0, 2, (96, 96, 1)), np.full((2, 2, 3), 120))
    frame = (fine + np.linspace(0, 135, 192)[:, None, None]).astype(np.uint8)
    assert power_above(frame[..., 0], KEPT_PX[blur]) > 0.3

    picture = np.asarray(
        Image.open(io.BytesIO(blurred_jpeg(frame, width_px=640, height_px=360, veil=Veil(blur)))).convert("L")
    )

    assert picture.shape == (LONG_SIDE_PX * 360 // 640, LONG_SIDE_PX)
    assert power_above(picture, KEPT_PX[blur]) < 0.05


def test_a_stronger_blur_keeps_less() -> None:
    assert KEPT_PX[Blur.LIGHT] > KEPT_PX[Blur.MEDIUM] > KEPT_PX[Blur.STRONG]


def test_a_video_of_one_pixel_has_a_still() -> None:
    frame = np.zeros((8, 8, 3), np.uint8)

    assert blurred_jpeg(frame, width_px=1, height_px=4000, veil=Veil(Blur.STRONG)).startswith(b"\xff\xd8")


def test_without_colour_nothing_of_it_is_in_the_file() -> None:
    frame = np.full((8, 8, 3), (200, 30, 60), np.uint8)

    coloured, grey = (
        Image.open(io.BytesIO(blurred_jpeg(frame, width_px=8, height_px=8, veil=Veil(Blur.LIGHT, greyscale=greyscale))))
        for greyscale in (False, True)
    )

    assert (coloured.mode, grey.mode) == ("RGB", "L")
