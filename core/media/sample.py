"""Which frames stand for a clip, and what must be decoded to get them: pure, by time, never by index."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from core.media.protocol import ClipTarget, Sampling

FRAME_RULE = "nearest"
"""Names how `even` chooses: whoever keeps decoded frames keeps them under it."""

_ROUNDING_S = 1e-6


class Packet(NamedTuple):
    """One coded frame, in decode order.

    Attributes:
        time_s: when it is shown.
        is_shown: False for frames an edit list cuts away; others may still need them.
    """

    time_s: float
    is_key: bool
    is_shown: bool


def target_times_s(num_frames: int, duration_s: float) -> tuple[float, ...]:
    """The middles of num_frames equal segments of the clip.

    >>> target_times_s(4, 2.0)
    (0.25, 0.75, 1.25, 1.75)
    """
    return tuple((index + 0.5) * duration_s / num_frames for index in range(num_frames))


def segments_s(times_s: Sequence[float], duration_s: float) -> tuple[tuple[float, float], ...]:
    """The stretch of the video each sampled frame stands for: up to half-way to its neighbours.

    Args:
        times_s: ascending; repeated frames give empty segments.
        duration_s: where the last segment ends.

    >>> segments_s((0.5, 1.5), 2.0)
    ((0.0, 1.0), (1.0, 2.0))
    """
    if not times_s:
        return ()
    cuts = [0.0, *((before + after) / 2 for before, after in pairwise(times_s)), max(duration_s, times_s[-1])]
    return tuple(pairwise(cuts))


class Choice(NamedTuple):
    """The frames that stand for a clip.

    Attributes:
        packets: for each frame of the target the index of the packet that holds it, ascending in time.
    """

    packets: tuple[int, ...]
    sampling: Sampling


def choose_frames(packets: Sequence[Packet], target: ClipTarget, *, duration_s: float) -> Choice:
    """Choose by the target's sampling, or by the next dearer one where the stream does not allow it.

    Frames before the first key frame have nothing to be decoded from and are left out; no frames give an empty choice.
    """
    first_key = next((index for index, packet in enumerate(packets) if packet.is_key), 0)
    shown = sorted((p.time_s, i) for i, p in enumerate(packets) if p.is_shown and i >= first_key)
    keys = [(time_s, index) for time_s, index in shown if packets[index].is_key]
    sampling = _possible(Sampling(target.sampling), len(keys), target.num_frames)
    if not shown:
        return Choice((), sampling)
    if sampling is Sampling.KEYS:
        spread = ((2 * row + 1) * len(keys) // (2 * target.num_frames) for row in range(target.num_frames))
        return Choice(tuple(keys[place][1] for place in spread), sampling)
    start_s = shown[0][0]
    times_s = [start_s + time_s for time_s in target_times_s(target.num_frames, duration_s)]
    reach_s = duration_s / target.num_frames / 2 if sampling is Sampling.NEAR_KEYS else 0.0
    near = [_key_near(keys, time_s, reach_s) for time_s in times_s]
    return Choice(tuple(_nearest(shown, t) if k is None else k for k, t in zip(near, times_s, strict=True)), sampling)


def _possible(wanted: Sampling, keys: int, num_frames: int) -> Sampling:
    if wanted is Sampling.KEYS and keys < num_frames:
        wanted = Sampling.NEAR_KEYS
    return Sampling.EVEN if wanted is Sampling.NEAR_KEYS and not keys else wanted


def _nearest(shown: list[tuple[float, int]], time_s: float) -> int:
    """No frame lies nearer to the target; of two as near, the earlier."""
    place = max(1, bisect_right(shown, time_s, key=lambda frame: frame[0]))
    before, after = shown[place - 1], shown[min(place, len(shown) - 1)]
    return after[1] if after[0] - time_s < time_s - before[0] - _ROUNDING_S else before[1]


def _key_near(keys: list[tuple[float, int]], time_s: float, reach_s: float) -> int | None:
    place = bisect_right(keys, time_s, key=lambda key: key[0])
    nearest = min(keys[max(place - 1, 0) : place + 1], key=lambda key: abs(key[0] - time_s), default=None)
    # A segment holds its start, not its end: no key frame may stand for two.
    is_near = nearest is not None and -reach_s <= nearest[0] - time_s + _ROUNDING_S < reach_s
    return nearest[1] if nearest and is_near else None


def plan_runs(packets: Sequence[Packet], wanted: Iterable[int]) -> tuple[range, ...]:
    """The stretches of packets to feed, each from a key frame on; everything between them is never decoded.

    A frame shown before the key frame it follows (open group of pictures) needs the key frame before that one.
    """
    keys = [index for index, packet in enumerate(packets) if packet.is_key]
    runs: list[range] = []
    for index in sorted(set(wanted)):
        place = bisect_right(keys, index) - 1
        while place > 0 and packets[keys[place]].time_s > packets[index].time_s:
            place -= 1
        start, stop = (keys[place] if place >= 0 else 0), index + 1
        while runs and start <= runs[-1].stop:
            last = runs.pop()
            start, stop = min(start, last.start), max(stop, last.stop)
        runs.append(range(start, stop))
    return tuple(runs)
