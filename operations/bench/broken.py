"""What people upload: twenty-odd kinds of broken, hostile and odd files, made by code, each with its right answer."""

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from core.errors import MediaEmpty, MediaMissing, MediaNoVideo, MediaTooLarge, MediaTooLong, MediaUndecodable
from operations.bench.made import MadeClip, make_clip, mux_silence

OK = "ok"
_EMPTY, _MISSING, _NO_VIDEO = MediaEmpty.code, MediaMissing.code, MediaNoVideo.code
_LARGE, _LONG, _BAD = MediaTooLarge.code, MediaTooLong.code, MediaUndecodable.code
_WHOLE = MadeClip("whole", 144, seconds=2, gop=12)
_MANY_REFERENCES = {"preset": "ultrafast", "x264-params": "ref=16:bframes=0"}
_HEAD_BYTES = 8
"""A box of an mp4 begins with its length and its name, of four bytes each."""


@dataclass(frozen=True)
class Kind:
    """One kind of file: how to make it, and the code it must get; `ok` where a clip can be had."""

    make: Callable[[Path], object]
    code: str


def _clip(**changes: Any) -> Callable[[Path], object]:  # noqa: ANN401 - a MadeClip's own fields
    return lambda path: make_clip(path, MadeClip("clip", **({"height_px": 144, "seconds": 2} | changes)))


def _whole(path: Path, *, faststart: bool = False) -> bytearray:
    source = path.with_suffix(".whole.mp4")
    make_clip(source, _WHOLE, options={"movflags": "faststart"} if faststart else {})
    data = bytearray(source.read_bytes())
    source.unlink()
    return data


def _no_index(path: Path) -> None:
    data = _whole(path)
    path.write_bytes(data[: data.index(b"moov") - 4])


def _damaged_index(path: Path) -> None:
    data = _whole(path)
    start = data.index(b"stts") + 4
    for place in np.random.default_rng(3).integers(start, data.index(b"stco") + 4, 200):
        data[place] ^= 0xFF
    path.write_bytes(data)


def _cut(share: float) -> Callable[[Path], object]:
    """Ends within its data, as an upload that broke off; its index is whole."""

    def make(path: Path) -> None:
        data = _whole(path, faststart=True)
        start = data.index(b"mdat")
        path.write_bytes(data[: start + int((len(data) - start) * share)])

    return make


def _flipped(path: Path) -> None:
    data = _whole(path)
    start, stop = data.index(b"mdat") + 4, data.index(b"moov") - 4
    for place in np.random.default_rng(7).integers(start + 2_000, stop, 3_000):
        data[place] ^= 0xFF
    path.write_bytes(data)


def _patched(box: bytes, offset: int, value: bytes) -> Callable[[Path], object]:
    """A lie in the index: `value` at `offset` behind the box's name."""

    def make(path: Path) -> None:
        data = _whole(path)
        place = data.index(box, data.index(b"moov")) + 4 + offset
        data[place : place + len(value)] = value
        path.write_bytes(data)

    return make


def _audio_only(path: Path) -> None:
    with av.open(str(path), "w") as container:
        mux_silence(container, container.add_stream("aac", rate=48_000), 2)


def _pictures(
    codec: str,
    pixels: str,
    *,
    side_px: int,
    count: int = 1,
    every_s: int = 1,
    options: dict[str, str] | None = None,
) -> Callable[[Path], object]:
    """Empty pictures, which cost little to make and their size to decode."""

    def make(path: Path) -> None:
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream(codec, rate=1, options=options or {})
            stream.width, stream.height, stream.pix_fmt = side_px, side_px, pixels
            frame = av.VideoFrame(side_px, side_px, pixels)
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            for number in range(count):
                frame.pts = number * every_s
                container.mux(stream.encode(frame))
            container.mux(stream.encode())

    return make


def _nested(path: Path) -> None:
    """Boxes within boxes, 20,000 deep."""
    depth = 20_000
    boxes = (struct.pack(">I4s", _HEAD_BYTES * (depth - level), b"moov") for level in range(depth))
    path.write_bytes(struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 0, b"isom") + b"".join(boxes))


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1_000_000_000)


def _changing_size(path: Path) -> None:
    """A transport stream whose picture grows half-way."""
    parts = []
    for number, height_px in enumerate((144, 288)):
        part = path.with_suffix(f".{number}.ts")
        make_clip(part, MadeClip("part", height_px, seconds=1, gop=10), first_s=float(number))
        parts.append(part.read_bytes())
        part.unlink()
    path.write_bytes(b"".join(parts))


def _text(line: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(line)


KINDS: dict[str, Kind] = {
    "missing.mp4": Kind(lambda _path: None, _MISSING),
    "folder.mp4": Kind(lambda path: path.mkdir(), _MISSING),
    "pipe.mp4": Kind(os.mkfifo, _MISSING),
    "zero_bytes.mp4": Kind(lambda path: path.write_bytes(b""), _EMPTY),
    "over_max_bytes.mp4": Kind(_sparse, _LARGE),
    "garbage.mp4": Kind(lambda path: path.write_bytes(np.random.default_rng(1).bytes(65_536)), _BAD),
    "page.mp4": Kind(_text("<!DOCTYPE html><html><body>Video not found</body></html>" * 50), _BAD),
    "playlist.mp4": Kind(_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nclip.mp4\n"), _BAD),
    "script.mp4": Kind(_text("ffconcat version 1.0\nfile clip.mp4\n"), _BAD),
    "nested.mp4": Kind(_nested, _BAD),
    "no_index.mp4": Kind(_no_index, _BAD),
    "damaged_index.mp4": Kind(_damaged_index, _BAD),
    "no_data.mp4": Kind(_cut(0.0), _BAD),
    "cut_at_5_percent.mp4": Kind(_cut(0.05), _BAD),
    "cut_at_60_percent.mp4": Kind(_cut(0.6), OK),
    "flipped_3000_bytes.mp4": Kind(_flipped, _BAD),
    "billions_of_frames.mp4": Kind(_patched(b"stsz", 8, b"\x7f\xff\xff\xff"), _BAD),
    "audio_only.mp4": Kind(_audio_only, _NO_VIDEO),
    "still_image.mp4": Kind(_pictures("png", "rgb24", side_px=64), _BAD),
    "hours.mp4": Kind(_pictures("libx264", "yuv420p", side_px=64, count=19, every_s=600), _LONG),
    "8192x8192.mp4": Kind(_pictures("mjpeg", "yuvj420p", side_px=8192), _LARGE),
    "understated.mp4": Kind(_patched(b"avc1", 24, bytes((0, 16, 0, 16))), OK),
    "3072x3072.mp4": Kind(_pictures("mjpeg", "yuvj420p", side_px=3072), OK),
    "16_references.mp4": Kind(_pictures("libx264", "yuv420p", side_px=3072, count=24, options=_MANY_REFERENCES), OK),
    "changing_size.ts": Kind(_changing_size, OK),
    "one_frame.mp4": Kind(_pictures("libx264", "yuv420p", side_px=64), OK),
    "rotated.mp4": Kind(_clip(rotation=-90), OK),
    "uneven.mp4": Kind(_clip(is_uneven=True), OK),
    "hevc.mp4": Kind(_clip(codec="libx265"), OK),
}
