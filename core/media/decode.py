"""A video file → a clip: only the frames that stand for it, for the least CPU. Runs in the cage, and in training."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from core.errors import MediaUndecodable
from core.media.probe import Listing, VideoPacket, describe, list_packets, open_video
from core.media.protocol import ClipTarget, DecodedClip, MediaLimits, Resize, Sampling
from core.media.resize import cut_centre, scaled_sides
from core.media.sample import choose_frames, plan_runs

__all__ = ["ClipTarget", "DecodedClip", "MediaLimits", "Resize", "Sampling", "decode_clip"]


def decode_clip(path: Path, target: ClipTarget, limits: MediaLimits, *, out: NDArray[np.uint8]) -> DecodedClip:
    """Fill out with the frames that stand for the video, upright.

    Frames that do not decode are replaced by their neighbours, and short videos repeat theirs. Only packets that a
    wanted frame depends on are decoded; the pixels are those of a full decode.

    Args:
        path: a local file.
        target: what to decode.
        limits: what it may cost; checked before anything is decoded.
        out: (T, H, W, 3) uint8, the target's shape; its contents are undefined after an error.

    Raises:
        MediaMissing, MediaEmpty, MediaNoVideo, MediaTooLarge, MediaTooLong.
        MediaUndecodable: no container, or too few distinct frames: fewer than the limit, than half the clip, and than
            the video has.
    """
    if out.shape != target.shape or out.dtype != np.uint8:
        raise ValueError(f"out is {out.shape} {out.dtype}, the target {target.shape} uint8")
    with open_video(path, limits, deblock=target.deblock) as video:
        listing = list_packets(video, limits)
        wanted, sampling = choose_frames(listing.times, target, duration_s=listing.duration_s)
        sheet = _Sheet(wanted, target, out)
        context = video.stream.codec_context
        runs = plan_runs(listing.times, wanted)
        _decode_runs(context, listing, runs, sheet)
        if len(runs) > 1 and sheet.missing:
            # A key frame that refreshes the picture bit by bit is none to start from: without jumps, once more.
            _decode_runs(context, listing, [range(max(sheet.missing) + 1)], sheet)
        _check_enough(sheet, wanted, listing, limits)
        rows = sheet.fill_gaps()
        times_s = tuple(listing.times[wanted[row]].time_s - listing.start_s for row in rows)
        probe = replace(describe(video, listing), rotation=sheet.rotation)
        return DecodedClip(times_s, len(sheet.sound), sampling, probe)


def _decode_runs(context: VideoCodecContext, listing: Listing, runs: Iterable[range], sheet: "_Sheet") -> None:
    """Decode what is missing; each frame's pts is the index of its packet, whatever the container's timestamps."""
    keep = sheet.missing
    for run in runs:
        for index in run:
            packet = listing.packets[index]
            packet.pts = index
            # Frames nothing refers to, and nobody wants, need no decoding.
            context.skip_frame = "DEFAULT" if index in keep else "NONREF"
            sheet.put(_decode(context, packet))
        sheet.put(_decode(context, None))
        context.flush_buffers()


def _decode(context: VideoCodecContext, packet: "VideoPacket | None") -> Sequence[av.VideoFrame]:
    try:
        return context.decode(packet)
    except MemoryError:
        raise
    except FFmpegError:
        # One damaged packet costs its own frame; whether enough are left is asked at the end.
        return ()


def _check_enough(sheet: "_Sheet", wanted: Sequence[int], listing: Listing, limits: MediaLimits) -> None:
    needed = min(limits.min_distinct_frames, math.ceil(len(wanted) / 2))
    # A short video needs no more frames than it has, unless it is short because the rest could not be read.
    if not listing.is_damaged:
        needed = min(needed, len(set(wanted)))
    if len(sheet.sound) < max(1, needed):
        raise MediaUndecodable(f"{len(sheet.sound)} distinct frames could be decoded, {needed} are needed")


class _Sheet:
    """The clip's rows, filled as frames come.

    Attributes:
        sound: packets whose frame came undamaged.
        rotation: of the last frame, degrees counter-clockwise.
    """

    def __init__(self, wanted: Sequence[int], target: ClipTarget, out: NDArray[np.uint8]) -> None:
        self._target = target
        self._out = out
        self._rows: dict[int, list[int]] = {}
        for row, index in enumerate(wanted):
            self._rows.setdefault(index, []).append(row)
        self._filled: set[int] = set()
        self._reformatter = VideoReformatter()
        self.sound: set[int] = set()
        self.rotation = 0

    @property
    def missing(self) -> frozenset[int]:
        """Packets whose frame did not come, or came damaged."""
        return frozenset(self._rows) - self.sound

    def put(self, frames: Iterable[av.VideoFrame]) -> None:
        """Write frames into their rows, if they are wanted; a sound one replaces a damaged one."""
        for frame in frames:
            index = frame.pts
            if index is None or index not in self.missing:
                continue
            self.rotation = frame.rotation
            self._out[self._rows[index]] = np.rot90(self._square(frame), self.rotation // 90)
            self._filled.update(self._rows[index])
            if not frame.is_corrupt:
                self.sound.add(index)

    def fill_gaps(self) -> list[int]:
        """Repeat the nearest frame where none came; returns which row each row now shows."""
        shown = [min(self._filled, key=lambda row: (abs(row - place), row)) for place in range(len(self._out))]
        for place, row in enumerate(shown):
            if place != row:
                self._out[place] = self._out[row]
        return shown

    def _square(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        width, height = scaled_sides(self._target, frame.width, frame.height)
        # Threads are the cage's business: by default libswscale starts one per core.
        scaled = self._reformatter.reformat(
            frame, width, height, "rgb24", interpolation=Interpolation.BILINEAR, threads=1
        )
        return cut_centre(scaled.to_ndarray().astype(np.uint8, copy=False), self._target.size_px)
