"""How networks are called on a GPU: recordings are replayed, text beside video, while the next clips are copied.

Here and below only torch is imported: `operations/bench/gpu_shapes.py` measures this very code on a bare machine.
"""

import weakref
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from models.networks.outputs import TextNetwork, TextOutput, VideoNetwork, VideoOutput
from models.networks.tuning import Compile
from models.serving.device import Run, T, in_pieces, there
from models.serving.feed import ClipFeed, Fill
from models.serving.prepare import Example, prepare
from models.serving.recorded import CudaRecorder, Recorded, joined, sizes_to

PIECE_CLIPS = 16
"""A batch of clips goes to a GPU in pieces: while one computes the next is read and copied."""
LARGEST_TEXTS = 64
_MAX_CLIPS = 256
_COPIERS = 4


@dataclass(frozen=True)
class _Streams:
    """What an engine needs for itself."""

    text: "torch.cuda.Stream"
    video: "torch.cuda.Stream"
    copies: "torch.cuda.Stream"


class CudaDevice:
    """Networks as they are, on the current stream, until `prepare` recorded them.

    Args:
        text, video: on the device already; None where nothing computes.
        clip_shape: (T, H, W, 3).
        where: the GPU.
    """

    def __init__(
        self,
        text: TextNetwork | None,
        video: VideoNetwork | None,
        *,
        clip_shape: Sequence[int],
        where: torch.device,
    ) -> None:
        self._where = where
        self._clip_shape = tuple(clip_shape)
        self._text: Recorded[TextOutput] | None = Recorded(text, device=where) if text else None
        self._video: Recorded[VideoOutput] | None = Recorded(video, device=where) if video else None
        self._streams: _Streams | None = None
        self._side = ThreadPoolExecutor(1, "text")
        self._feed = self._new_feed()

    @property
    def max_clips(self) -> int:
        """More clips in one batch gain nothing."""
        return _MAX_CLIPS

    @property
    def recorded(self) -> tuple[str, ...]:
        """The modalities that are replayed."""
        both = {"text": self._text, "video": self._video}
        return tuple(name for name, network in both.items() if network is not None and network.is_recorded)

    @torch.inference_mode()
    def prepare(self, *, buckets: Iterable[int], max_batch: int, compile_: Compile = torch.compile) -> dict[str, str]:
        """Record every network whose shapes do not depend on what it reads; the others run as they are.

        Args:
            buckets: the lengths captions are padded to.
            max_batch: the most captions, or clips, in a batch.
            compile_: what compiles a function.

        Returns:
            Per modality what could not be done, and why; empty when all was.
        """
        self._streams = streams = self._streams or _streams_for(self, self._where)
        self._feed = self._new_feed()
        sizes = sizes_to(min(max_batch, LARGEST_TEXTS))
        texts = [_captions(size, length) for length in buckets for size in sizes]
        clips = [_clips(size, self._clip_shape) for size in sizes_to(min(max_batch, PIECE_CLIPS))]
        prepared = partial(prepare, device=self._where, compile_=compile_)
        problems = {}
        if texts and _is_recordable(self._text):
            problems["text"] = prepared(there(self._text), texts, recorder=CudaRecorder(streams.text))
        if _is_recordable(self._video):
            problems["video"] = prepared(there(self._video), clips, recorder=CudaRecorder(streams.video))
        return {modality: problem for modality, problem in problems.items() if problem}

    def forget(self) -> None:
        """Replay nothing any more."""
        for network in (self._text, self._video):
            if network is not None:
                network.forget()

    def captions(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> TextOutput:
        """Score captions."""
        return there(self._text)(input_ids.pin_memory(), attention_mask.pin_memory())

    def clips(self, fills: Sequence[Fill]) -> VideoOutput:
        """Score clips."""
        network = there(self._video)
        return joined([network(self._feed.stage(piece)) for piece in in_pieces(fills, PIECE_CLIPS)])

    def ahead(self, run: Run[T], rows: Sequence[int]) -> Run[T]:
        """Once prepared: run on a thread and a stream of its own."""
        if self._streams is None:
            return run
        begun = self._side.submit(self._beside, self._streams.text, run, rows)
        return lambda asked: begun.result() if asked is rows else run(asked)

    @torch.inference_mode()
    def _beside(self, stream: "torch.cuda.Stream", run: Run[T], rows: Sequence[int]) -> list[T]:
        try:
            with torch.cuda.stream(stream):
                return run(rows)
        finally:
            # Also where it failed: what runs next uses the same memory.
            stream.synchronize()

    def _new_feed(self) -> ClipFeed:
        stream = self._streams.copies if self._streams else None
        return ClipFeed(self._clip_shape, clips=PIECE_CLIPS, device=self._where, copiers=_COPIERS, stream=stream)


def _is_recordable(recorded: Recorded[Any] | None) -> bool:
    return recorded is not None and getattr(recorded.network, "has_fixed_shapes", False)


def _captions(size: int, length: int) -> Example:
    """Half of it padding: without any, transformers would leave the mask out, and the recording with it."""
    mask = torch.zeros(size, length, dtype=torch.int64)
    mask[:, : max(1, length // 2)] = 1
    return torch.zeros_like(mask), mask


def _clips(size: int, clip_shape: Sequence[int]) -> Example:
    return (torch.zeros(size, *clip_shape, dtype=torch.uint8),)


_FREE: dict[torch.device, list[_Streams]] = {}


def _streams_for(owner: object, where: torch.device) -> _Streams:
    """Streams that no other engine has, until this one is gone.

    Libraries keep a work space for each stream, and torch, which hands out 32 and then the same ones again, would let
    two engines share one.
    """
    free = _FREE.setdefault(where, [])
    streams = free.pop() if free else _Streams(_stream(where), _stream(where), _stream(where))
    weakref.finalize(owner, free.append, streams)
    return streams


def _stream(where: torch.device) -> "torch.cuda.Stream":
    return torch.cuda.Stream(where)  # type: ignore[no-untyped-call]  # torch's own
