"""Who decodes in the bench: ours and what others would use, each to the same targets, in a process that may be killed.

`python -m operations.bench.decoders NAME` reads a clip per line and answers with what it cost and what it showed.
"""

import importlib.util
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from core.media.decode import decode_clip
from core.media.protocol import ClipTarget, MediaLimits
from core.media.sample import target_times_s
from core.settings import Settings
from operations.bench.made import read_numbers

FRAMES, SIDE_PX = 16, 224
Clip = NDArray[np.uint8]
"""(FRAMES, SIDE_PX, SIDE_PX, 3) RGB, upright."""


class Decoder(StrEnum):
    """Who decodes: the platform; every frame in turn, by the same library; decord; the ffmpeg command."""

    OURS = "ours"
    FORWARD = "pyav-forward"
    DECORD = "decord"
    FFMPEG = "ffmpeg"

    def why_not(self) -> str | None:
        """Why it cannot be measured here, if so."""
        if self is Decoder.DECORD and importlib.util.find_spec("decord") is None:
            return "decord is not installed"
        if self is Decoder.FFMPEG and shutil.which("ffmpeg") is None:
            return "no ffmpeg command on the path"
        return None


def limits_of(settings: Settings) -> MediaLimits:
    """What the platform lets a video cost."""
    decode = settings.decode
    return MediaLimits(decode.max_bytes, decode.max_pixels, decode.max_duration_s, decode.min_distinct_frames)


def _ours(path: Path, _seconds: float) -> Clip:
    out = np.empty((FRAMES, SIDE_PX, SIDE_PX, 3), np.uint8)
    decode_clip(path, ClipTarget(FRAMES, SIDE_PX), limits_of(Settings.load()), out=out)
    return out


def _forward(path: Path, seconds: float) -> Clip:
    """Frames in turn up to the last target; of two neighbours, the nearer one is converted."""
    targets_s = list(target_times_s(FRAMES, seconds))
    rows: list[Clip] = []
    with av.open(str(path)) as container:
        container.streams.video[0].thread_count = 1
        before: av.VideoFrame | None = None
        for frame in container.decode(video=0):
            while targets_s and frame.time >= targets_s[0]:
                is_nearer = before is None or frame.time - targets_s[0] < targets_s[0] - before.time
                rows.append(_upright(frame if is_nearer or before is None else before))
                targets_s.pop(0)
            before = frame
            if not targets_s:
                break
    return np.stack(rows)


def _upright(frame: av.VideoFrame) -> Clip:
    square = frame.reformat(SIDE_PX, SIDE_PX, "rgb24", interpolation="BILINEAR", threads=1)
    return np.rot90(square.to_ndarray(), frame.rotation // 90).astype(np.uint8, copy=False)


def _decord(path: Path, seconds: float) -> Clip:
    import decord  # noqa: PLC0415 - measured where it is installed

    reader = decord.VideoReader(str(path), num_threads=1, width=SIDE_PX, height=SIDE_PX)
    starts_s = reader.get_frame_timestamp(range(len(reader)))[:, 0]
    nearest = [int(np.abs(starts_s - time_s).argmin()) for time_s in target_times_s(FRAMES, seconds)]
    frames: Clip = reader.get_batch(nearest).asnumpy()
    return frames


def _ffmpeg(path: Path, seconds: float) -> Clip:
    # Rounded to the nearest step of its output, `fps` keeps the last frame before the middle between two steps.
    filters = f"fps={FRAMES}/{seconds:g},scale={SIDE_PX}:{SIDE_PX}:flags=bilinear"
    read = ("-v", "error", "-nostdin", "-threads", "1", "-filter_threads", "1", "-i", str(path))
    write = ("-an", "-vf", filters, "-frames:v", str(FRAMES), "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    pixels = subprocess.run([shutil.which("ffmpeg") or "ffmpeg", *read, *write], check=True, stdout=subprocess.PIPE)  # noqa: S603 - our own arguments
    return np.frombuffer(pixels.stdout, np.uint8).reshape(-1, SIDE_PX, SIDE_PX, 3)


_DECODE: dict[Decoder, Callable[[Path, float], Clip]] = {
    Decoder.OURS: _ours,
    Decoder.FORWARD: _forward,
    Decoder.DECORD: _decord,
    Decoder.FFMPEG: _ffmpeg,
}


def serve(decoder: Decoder, lines: Iterable[str]) -> None:
    """Answer each `{"path", "seconds"}` with `{"cpu_ms", "numbers"}`."""
    decode = _DECODE[decoder]
    for line in lines:
        asked = json.loads(line)
        before_ms = _cpu_ms()
        frames = decode(Path(asked["path"]), asked["seconds"])
        spent_ms = _cpu_ms() - before_ms
        sys.stdout.write(json.dumps({"cpu_ms": spent_ms, "numbers": read_numbers(frames)}) + "\n")
        sys.stdout.flush()


def _cpu_ms() -> float:
    """User and system time of this process, its threads and the commands it ran."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in spent) * 1e3


if __name__ == "__main__":
    serve(Decoder(sys.argv[1]), sys.stdin)
