"""The second way to decode, by decord: same rows, sampling and rotation. Runs in the cage only, where it may hang."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import decord
import numpy as np
from numpy.typing import NDArray

from core.errors import MediaUndecodable
from core.media.decode import decode_clip as decode_with_pyav
from core.media.probe import Listing, OpenVideo, describe, first_frame, list_packets, open_video
from core.media.protocol import ClipTarget, DecodedClip, MediaLimits, Probe
from core.media.resize import cut_centre, scaled_sides
from core.media.sample import choose_frames

_CONTAINERS = frozenset({"mov", "matroska"})


def decode_clip(path: Path, target: ClipTarget, limits: MediaLimits, *, out: NDArray[np.uint8]) -> DecodedClip:
    """Fill out as `core.media.decode.decode_clip` does, which says the rest, and decodes what decord gets wrong.

    Damaged frames are decord's to repair. Streams refreshed bit by bit show later frames than asked for.

    Raises:
        MediaError: as there; MediaUndecodable too where decord counts other frames than the container lists.
    """
    with open_video(path, limits) as video:
        listing = list_packets(video, limits)
        if not _is_safe(video, listing):
            return decode_with_pyav(path, target, limits, out=out)
        wanted, sampling = choose_frames(listing.times, target, duration_s=listing.duration_s)
        probe = replace(describe(video, listing), rotation=first_frame(video, listing).rotation)
    try:
        out[:] = _frames(path, target, probe, wanted=wanted, listing=listing)
    except decord.DECORDError as error:
        raise MediaUndecodable(f"decord: {str(error).strip().splitlines()[-1]}") from error
    times_s = tuple(listing.times[index].time_s - listing.start_s for index in wanted)
    return DecodedClip(times_s, len(set(wanted)), sampling, probe)


def _is_safe(video: OpenVideo, listing: Listing) -> bool:
    """Whether decord 0.6.0 shows the frames it is asked for; elsewhere it showed others, or hung (measured).

    Those are containers without an index, edit lists that hide frames, and frames shown before their key frame.
    """
    if video.container.format.name.split(",")[0] not in _CONTAINERS or not listing.times[0].is_key:
        return False
    key_s = listing.start_s
    for packet in listing.times:
        key_s = packet.time_s if packet.is_key else key_s
        if packet.time_s < key_s or not packet.is_shown:
            return False
    return video.claimed.codec != "av1"


def _frames(
    path: Path, target: ClipTarget, probe: Probe, *, wanted: Sequence[int], listing: Listing
) -> NDArray[np.uint8]:
    """(T, H, W, 3), upright: decord turns and scales by itself."""
    sides = (probe.width_px, probe.height_px) if probe.rotation % 180 == 0 else (probe.height_px, probe.width_px)
    width, height = scaled_sides(target, *sides)
    reader = decord.VideoReader(str(path), num_threads=1, width=width, height=height)
    places = _places(listing, len(reader))
    frames: NDArray[np.uint8] = reader.get_batch([places[index] for index in wanted]).asnumpy()
    return cut_centre(frames, target.size_px)


def _places(listing: Listing, counted: int) -> dict[int, int]:
    """Each packet's place in the order of showing, by which decord counts."""
    if counted != len(listing.times):
        raise MediaUndecodable(f"decord counts {counted} frames, the container lists {len(listing.times)}")
    ordered = sorted(range(counted), key=lambda index: listing.times[index].time_s)
    return {index: place for place, index in enumerate(ordered)}
