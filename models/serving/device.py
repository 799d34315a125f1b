"""How networks are called: what every device can do, and a CPU, which computes so many clips side by side."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

import torch

from models.networks.outputs import TextNetwork, TextOutput, VideoNetwork, VideoOutput
from models.serving.feed import ClipFeed, Fill
from models.serving.recorded import joined

# One core is full with one clip: batches of 1, 2, 4, 8 took 67, 67, 81, 103 ms a clip (starter models, bfloat16).
_MAX_CLIPS = 2

T = TypeVar("T")
Run = Callable[[Sequence[int]], list[T]]
"""Scores the rows with these numbers."""


class Device(Protocol):
    """Computes one batch at a time."""

    @property
    def max_clips(self) -> int:
        """More clips in one batch gain nothing."""
        ...

    def captions(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> TextOutput:
        """Score captions; see TextNetwork. The arguments lie on the host."""
        ...

    def clips(self, fills: Sequence[Fill]) -> VideoOutput:
        """Score the clips that these write."""
        ...

    def ahead(self, run: Run[T], rows: Sequence[int]) -> Run[T]:
        """Begin a run, where the device can do two things at a time.

        Returns:
            A run which for these very rows gives what was begun, and for any others runs.
        """
        ...


class CpuDevice:
    """Networks as they are.

    Args:
        text, video: what computes; None where nothing does.
        clip_shape: (T, H, W, 3).
        threads: how many clips are computed side by side.
    """

    def __init__(
        self, text: TextNetwork | None, video: VideoNetwork | None, *, clip_shape: Sequence[int], threads: int = 1
    ) -> None:
        self._text, self._video = text, video
        self._threads = _start_threads(threads) if threads > 1 else None
        self._max_clips = max(_MAX_CLIPS, 2 * threads)
        self._feed = ClipFeed(clip_shape, clips=self._max_clips, device=torch.device("cpu"))

    @property
    def max_clips(self) -> int:
        """More clips in one batch gain nothing."""
        return self._max_clips

    def captions(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> TextOutput:
        """Score captions."""
        return there(self._text)(input_ids, attention_mask)

    def clips(self, fills: Sequence[Fill]) -> VideoOutput:
        """Score clips."""
        return joined([self._piece(self._feed.stage(piece)) for piece in in_pieces(fills, self._max_clips)])

    def ahead(self, run: Run[T], rows: Sequence[int]) -> Run[T]:
        """With several threads: one begins with this, the others with the clips, and no core waits in between."""
        if self._threads is None:
            return run
        begun = self._threads.submit(_begin, run, rows)
        return lambda asked: begun.result() if asked is rows else run(asked)

    def _piece(self, clips: torch.Tensor) -> VideoOutput:
        network = there(self._video)
        if self._threads is None:
            return network(clips)
        # A batch is so many clips side by side, and none waits at a barrier.
        return joined(list(self._threads.map(partial(_alone, network), torch.split(clips, 1))))


@torch.inference_mode()
def _alone(network: VideoNetwork, clip: torch.Tensor) -> VideoOutput:
    return network(clip)


@torch.inference_mode()
def _begin(run: Run[T], rows: Sequence[int]) -> list[T]:
    return run(rows)


def in_pieces(fills: Sequence[Fill], most: int) -> list[Sequence[Fill]]:
    """So many at a time, in order."""
    return [fills[start : start + most] for start in range(0, len(fills), most)]


def there(value: T | None) -> T:
    """What a stage cannot run without.

    Raises:
        TypeError: it is not there.
    """
    if value is None:
        raise TypeError("a stage ran without its network or input")
    return value


def _start_threads(count: int) -> ThreadPoolExecutor:
    # torch counts its own threads per calling thread: each of ours is one core.
    return ThreadPoolExecutor(count, "clip", initializer=torch.set_num_threads, initargs=(1,))
