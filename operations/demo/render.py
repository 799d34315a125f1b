"""Clips made by code: coloured shapes that drift over a gradient, so that the demo needs no one's video."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

WIDTH_PX, HEIGHT_PX, FPS, SECONDS = 216, 384, 25, 3
COUNT = 4


def render_clips(folder: Path) -> list[Path]:
    """Render the clips that are missing in the folder; the same ones each time."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"shapes-{number}.mp4" for number in range(COUNT)]
    for number, path in enumerate(paths):
        if not path.is_file():
            partial = path.with_suffix(".partial.mp4")
            _render(partial, np.random.default_rng(number))
            partial.rename(path)
    return paths


def _render(path: Path, random: np.random.Generator) -> None:
    colours = random.integers(40, 240, (4, 3))
    start, speed = random.uniform(0.1, 0.9, (4, 2)), random.uniform(-0.15, 0.15, (4, 2))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "26", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for index in range(FPS * SECONDS):
            picture = _picture(colours, (start + speed * index / FPS) % 1.0, index)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def _picture(colours: NDArray[np.int64], centres: NDArray[np.float64], index: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: a slow gradient with one disc per colour."""
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    shade = (y / HEIGHT_PX * 120 + 60 + 20 * np.sin(index / 20))[..., None]
    picture = np.repeat(shade, 3, axis=2)
    for colour, (centre_y, centre_x) in zip(colours, centres, strict=True):
        inside = (y - centre_y * HEIGHT_PX) ** 2 + (x - centre_x * WIDTH_PX) ** 2 < (WIDTH_PX * 0.16) ** 2
        picture[inside] = colour
    return picture.clip(0, 255).astype(np.uint8)
