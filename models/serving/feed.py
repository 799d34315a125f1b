"""Clips on their way to the device: while one batch computes the next is copied, over two buffers that take turns."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

Fill = Callable[[memoryview], None]
"""Writes one whole clip, or raises."""


class ClipFeed:
    """Batches of clips, one after the other; used from one thread.

    Promise: what `stage` returned keeps its pixels until the second call after it, for all that was queued on the
    current stream before that call.

    Args:
        clip_shape: (T, H, W, 3).
        clips: the largest batch.
        device: where the batches are wanted. On CUDA the host's buffers are pinned; on the CPU they are the batches.
        copiers: threads that fill a batch side by side; reading a slot leaves the interpreter to others.
        stream: of the copies on CUDA, so that they wait for no computation; without it the current one.
    """

    def __init__(
        self,
        clip_shape: Sequence[int],
        *,
        clips: int,
        device: torch.device,
        copiers: int = 1,
        stream: "torch.cuda.Stream | None" = None,
    ) -> None:
        self._shape = (clips, *clip_shape)
        self._device = device
        self._stream = stream
        self._copiers = ThreadPoolExecutor(copiers, "copy") if copiers > 1 else None
        self._lanes: list[_Lane] = []
        self._turn = 0

    def stage(self, fills: Sequence[Fill]) -> torch.Tensor:
        """(len(fills), T, H, W, 3) uint8 on the device; on CUDA ready for whatever the current stream does next.

        Raises:
            ValueError: a clip could not be read; or whatever else its `fill` raises.
        """
        if not self._lanes:
            # Kept from the first batch on: fresh pages cost more than the copy.
            self._lanes = [_Lane(self._shape, self._device, self._stream) for _ in range(2)]
        before, lane = self._lanes[(self._turn + 1) % 2], self._lanes[self._turn % 2]
        self._turn += 1
        before.end_reading()
        lane.wait_until_sent()
        self._fill(lane.host[: len(fills)], fills)
        return lane.send(len(fills))

    def _fill(self, clips: torch.Tensor, fills: Sequence[Fill]) -> None:
        rows = [clip.numpy().data.cast("B") for clip in clips]
        if self._copiers is None:
            for fill, row in zip(fills, rows, strict=True):
                fill(row)
            return
        futures = [self._copiers.submit(fill, row) for fill, row in zip(fills, rows, strict=True)]
        # All of them, also when one fails: none may still write when the buffer's turn comes again.
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise errors[0]


class _Lane:
    """One buffer on the host, its twin on the device, and how far both are in use."""

    def __init__(self, shape: Sequence[int], device: torch.device, stream: "torch.cuda.Stream | None") -> None:
        is_cuda = device.type == "cuda"
        self.host = torch.empty(*shape, dtype=torch.uint8, pin_memory=is_cuda)
        self._there = torch.empty(*shape, dtype=torch.uint8, device=device) if is_cuda else self.host
        self._stream = stream
        self._sent = _event() if is_cuda else None
        self._read = _event() if is_cuda else None
        self._device = device

    def wait_until_sent(self) -> None:
        """Block until the device has its copy of what the host's buffer held."""
        if self._sent is not None:
            self._sent.synchronize()

    def end_reading(self) -> None:
        """Note that nothing queued from now on reads the device's buffer."""
        if self._read is not None:
            self._read.record(torch.cuda.current_stream(self._device))

    def send(self, count: int) -> torch.Tensor:
        """The first clips, on the device."""
        if self._sent is None or self._read is None:
            return self._there[:count]
        stream = self._stream or torch.cuda.current_stream(self._device)
        with torch.cuda.stream(stream):
            stream.wait_event(self._read)
            self._there[:count].copy_(self.host[:count], non_blocking=True)
            self._sent.record(stream)
        torch.cuda.current_stream(self._device).wait_event(self._sent)
        return self._there[:count]


def _event() -> "torch.cuda.Event":
    return torch.cuda.Event()  # type: ignore[no-untyped-call]  # torch's own
