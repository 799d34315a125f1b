"""A network at fixed shapes: each is recorded once and replayed, so that a batch costs the host next to nothing."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, Protocol, TypeVar

import torch

from models.networks.outputs import TextOutput, VideoOutput

Out = TypeVar("Out", bound=TextOutput | VideoOutput)

_WARM_RUNS = 3

Replay = Callable[[], None]


class Recorder(Protocol):
    """Runs something, and can do it again."""

    def __call__(self, run: Callable[[], None]) -> Replay:
        """What does again, with the same memory, what `run` did."""
        ...


class CudaRecorder:
    """Records CUDA graphs that share memory; they must be replayed one at a time, their outputs copied in between.

    Args:
        stream: where they are recorded, this network's own: libraries keep a work space for each stream, and networks
            that are replayed side by side must not share it.
    """

    def __init__(self, stream: "torch.cuda.Stream") -> None:
        self._stream = stream
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, run: Callable[[], None]) -> Replay:
        """Run a few times, so that compilers and libraries have made up their minds, then record.

        Raises:
            RuntimeError: the device cannot record it.
        """
        self._stream.wait_stream(torch.cuda.current_stream(self._stream.device))
        with torch.cuda.stream(self._stream):
            for _ in range(_WARM_RUNS):
                run()
            self._stream.synchronize()
            replay = self._record(run)
        torch.cuda.current_stream(self._stream.device).wait_stream(self._stream)
        return replay

    def _record(self, run: Callable[[], None]) -> Replay:
        """Not by torch.cuda.graph: that empties the process's cache of memory, also for the engine that serves."""
        graph = torch.cuda.CUDAGraph()
        # Other threads go on computing meanwhile: the worker records the next models while these serve.
        graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
        try:
            run()
        except BaseException:
            with suppress(RuntimeError):
                graph.capture_end()
            raise
        graph.capture_end()
        return graph.replay


@dataclass(frozen=True)
class _Recording(Generic[Out]):
    """One shape: what goes in, how it is done again, and the one output that comes out each time."""

    inputs: tuple[torch.Tensor, ...]
    replay: Replay
    outputs: list[Out]


class Recorded(Generic[Out]):
    """A network that pads a batch to the next recorded size; what fits no recording runs as it is.

    Args:
        network: takes tensors whose first axis is the batch, rows not depending on each other.
        device: where it computes; inputs may lie on the host.
    """

    def __init__(self, network: Callable[..., Out], *, device: torch.device) -> None:
        self.network = network
        self._device = device
        self._recordings: dict[tuple[tuple[int, ...], ...], dict[int, _Recording[Out]]] = {}

    @property
    def is_recorded(self) -> bool:
        """Whether there is any recording."""
        return bool(self._recordings)

    def record(self, recorder: Recorder, *examples: torch.Tensor) -> None:
        """Record the shape of these inputs; their values are those of a usual batch.

        Raises:
            RuntimeError: it cannot be recorded.
        """
        inputs = tuple(example.to(self._device, copy=True) for example in examples)
        outputs: list[Out] = []

        def run() -> None:
            outputs[:] = [self.network(*inputs)]

        recording = _Recording(inputs, recorder(run), outputs)
        self._recordings.setdefault(_tail(inputs), {})[len(inputs[0])] = recording

    def forget(self) -> None:
        """Run as it is from now on."""
        self._recordings = {}

    def __call__(self, *inputs: torch.Tensor) -> Out:
        """One row of output for each of input, in memory of its own."""
        sizes = self._recordings.get(_tail(inputs), {})
        count = len(inputs[0])
        if not sizes:
            return self.network(*(given.to(self._device, non_blocking=True) for given in inputs))
        largest = max(sizes)
        if count > largest:
            pieces = zip(*(torch.split(given, largest) for given in inputs), strict=True)
            return joined([self(*piece) for piece in pieces])
        return _replayed(sizes[min(size for size in sizes if size >= count)], inputs)


def sizes_to(most: int) -> tuple[int, ...]:
    """The batch sizes to record so that `most` fits: 1, 2, 4 and so on."""
    return tuple(1 << power for power in range((most - 1).bit_length() + 1))


def joined(outputs: Sequence[Out]) -> Out:
    """Batches one after the other as one."""
    if len(outputs) == 1:
        return outputs[0]
    return _each(outputs[0], lambda name: torch.cat([getattr(output, name) for output in outputs]))


def _replayed(recording: _Recording[Out], inputs: tuple[torch.Tensor, ...]) -> Out:
    count = len(inputs[0])
    for mine, given in zip(recording.inputs, inputs, strict=True):
        # The rows behind them keep what an earlier batch left: valid inputs, whose outputs nobody reads.
        mine[:count].copy_(given, non_blocking=True)
    recording.replay()
    (output,) = recording.outputs
    # The next replay writes over its memory.
    return _each(output, lambda name: getattr(output, name)[:count].clone())


def _each(output: Out, change: Callable[[str], Any]) -> Out:
    return replace(output, **{field.name: change(field.name) for field in fields(output)})


def _tail(tensors: tuple[torch.Tensor, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(tensor.shape[1:]) for tensor in tensors)
