"""Clips made for the decode bench: a moving, noisy texture, and on each frame its number, which any decoder shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from operations.seat import screen

FPS = 30
_BITS = 12
_GREY = 127
_TICKS = 15_360
_BITS_PER_S = 2_000_000
_NOISES = 8
_UNEVEN = (1, 4, 1, 2, 2)
"""Lengths of frames in turn, in sixtieths of a second; containers give the last frame that of the one before it."""
_SAMPLES_PER_S, _AUDIO_FRAME = 48_000, 1024
Plane = NDArray[np.uint8]


@dataclass(frozen=True)
class MadeClip:
    """One clip, as stored: rotation is what a player turns it by, degrees counter-clockwise."""

    name: str
    height_px: int = 720
    seconds: int = 15
    gop: int = 250
    codec: str = "libx264"
    rotation: int = 0
    is_uneven: bool = False

    @property
    def width_px(self) -> int:
        """16:9."""
        return self.height_px * 16 // 9

    @cached_property
    def times_s(self) -> NDArray[np.float64]:
        """When each frame is shown."""
        count = self.seconds * FPS
        if not self.is_uneven:
            return np.arange(count) / FPS
        lengths = np.resize(_UNEVEN, count)
        times: NDArray[np.float64] = (lengths.cumsum() - lengths) / 60
        return times


CLIPS = (
    MadeClip("720p-15s-gop30", gop=30),
    MadeClip("720p-15s-gop250"),
    MadeClip("720p-60s-gop30", seconds=60, gop=30),
    MadeClip("720p-60s-gop250", seconds=60),
    MadeClip("576p-15s-gop30", 576, gop=30),
    MadeClip("576p-15s-gop250", 576),
    MadeClip("576p-60s-gop30", 576, seconds=60, gop=30),
    MadeClip("576p-60s-gop250", 576, seconds=60),
    MadeClip("720p-15s-hevc", codec="libx265"),
    MadeClip("720p-15s-uneven", is_uneven=True),
    MadeClip("720p-15s-rotated", rotation=-90),
)


def make_clips(folder: Path, clips: Sequence[MadeClip]) -> dict[MadeClip, Path]:
    """Encode the clips that are missing in the folder; the same ones each time."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {clip: folder / f"{clip.name}.mp4" for clip in clips}
    missing = [clip for clip, path in paths.items() if not path.is_file()]
    with Progress(console=screen, transient=True) as progress:
        task = progress.add_task("making clips", total=sum(len(clip.times_s) for clip in missing))
        for clip in missing:
            partial = paths[clip].with_suffix(".partial.mp4")
            for _ in _encode(partial, clip, {}, 0.0):
                progress.advance(task)
            partial.rename(paths[clip])
    return paths


def make_clip(path: Path, clip: MadeClip, *, options: dict[str, str] | None = None, first_s: float = 0.0) -> None:
    """Encode one clip whose first frame is shown at first_s; the options are the container's."""
    for _ in _encode(path, clip, options or {}, first_s):
        pass


def read_numbers(frames: Plane) -> list[int]:
    """The number each of (T, H, W, 3) upright frames of any size carries."""
    height, width = frames.shape[1:3]
    middle_row = height // 16
    columns = ((np.arange(_BITS) + 0.5) * width / _BITS).astype(int)
    bits = frames[:, middle_row - 1 : middle_row + 2][:, :, columns].mean(axis=(1, 3)) > _GREY
    return [int(row @ (1 << np.arange(_BITS)[::-1])) for row in bits]


def mux_silence(container: av.container.OutputContainer, stream: "av.AudioStream", seconds: int) -> None:
    """Write a silent track."""
    silence = np.zeros((1, _AUDIO_FRAME), np.float32)
    for start in range(0, seconds * _SAMPLES_PER_S, _AUDIO_FRAME):
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.rate, frame.pts = _SAMPLES_PER_S, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _encode(path: Path, clip: MadeClip, options: dict[str, str], first_s: float) -> Iterator[None]:
    """One step per frame."""
    with av.open(str(path), "w", options=options) as container:
        video: Any = container.add_stream(clip.codec, rate=FPS, options=_options(clip))
        video.width, video.height, video.pix_fmt = clip.width_px, clip.height_px, "yuv420p"
        video.bit_rate, video.time_base = _BITS_PER_S, Fraction(1, _TICKS)
        video.codec_context.time_base = Fraction(1, _TICKS)
        video.set_display_rotation(clip.rotation)
        audio: Any = container.add_stream("aac", rate=_SAMPLES_PER_S)
        for time_s, picture in zip(clip.times_s, _pictures(clip), strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = round((first_s + time_s) * _TICKS), Fraction(1, _TICKS)
            container.mux(video.encode(frame))
            yield
        container.mux(video.encode())
        mux_silence(container, audio, clip.seconds)


def _options(clip: MadeClip) -> dict[str, str]:
    options = {"g": str(clip.gop), "preset": "veryfast"}
    if clip.codec == "libx265":
        # The slower presets take minutes, and its default is to tell each encode's story on stderr.
        return options | {"preset": "ultrafast", "x265-params": "log-level=none"}
    return options | {"profile": "high"}


def _pictures(clip: MadeClip) -> Iterator[Plane]:
    """(H * 3 / 2, W) yuv420p, as stored."""
    random = np.random.default_rng(clip.height_px)
    turns = clip.rotation // 90
    height, width = (clip.height_px, clip.width_px)[:: -1 if turns % 2 else 1]
    texture = random.integers(60, 190, (height // 8, width // 8)).astype(np.uint8).repeat(16, 0).repeat(16, 1)
    noises = random.normal(0, 8, (_NOISES, height, width)).astype(np.int16)
    chroma = np.linspace(90, 166, height * width // 2).astype(np.uint8).reshape(-1, clip.width_px)
    for number in range(len(clip.times_s)):
        top, left = (number * 3) % height, (number * 5) % width
        luma = (texture[top : top + height, left : left + width] + noises[number % _NOISES]).clip(0, 255)
        picture = np.rot90(_numbered(luma.astype(np.uint8), number), -turns)
        yield np.concatenate([picture, chroma])


def _numbered(luma: Plane, number: int) -> Plane:
    """The number's bits as black and white blocks along the top, highest first."""
    bits = number >> np.arange(_BITS)[::-1] & 1
    columns = np.arange(luma.shape[1]) * _BITS // luma.shape[1]
    luma[: luma.shape[0] // 8] = np.where(bits[columns], 235, 16)
    return luma
