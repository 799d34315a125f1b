"""A network on a GPU → recordings of it: rearranged, compiled and recorded, or as much of that as can be done here."""

import subprocess
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import nn
from torch.nn.attention import sdpa_kernel

from models.networks.attention import ORDERS, fastest_order
from models.networks.tuning import Compile, compile_layers, rearrange
from models.serving.recorded import Recorded, Recorder

Example = tuple[torch.Tensor, ...]

_CANNOT = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    subprocess.SubprocessError,
)
"""What compilers of three projects raise when one of them, or the C compiler they call, cannot."""


def prepare(
    recorded: Recorded[Any],
    examples: Sequence[Example],
    *,
    recorder: Recorder,
    device: torch.device,
    compile_: Compile = torch.compile,
) -> str:
    """Record a network for shapes like these examples; it must run under inference mode, and runs in any case.

    Args:
        recorded: its network is a module on the device, in eval mode.
        examples: inputs of every shape; the attention kernel that is fastest for the largest is taken for all.
        recorder: makes the recordings.
        device: where the network is.
        compile_: what compiles a function.

    Returns:
        What could not be done, and why; empty when all was.
    """
    network = cast(nn.Module, recorded.network)
    rearrange(network, device)
    largest_first = sorted(examples, key=lambda example: -example[0].numel())
    # Before anything is compiled: compiled code keeps the kernel it was compiled with.
    order = fastest_order(lambda: recorded(*largest_first[0])) if device.type == "cuda" else ORDERS[0]

    def record() -> None:
        with sdpa_kernel(list(order), set_priority=True):
            for example in largest_first:
                recorded.record(recorder, *example)

    undo = compile_layers(network, compile_)
    if not (not_compiled := _why_not(record)):
        return ""
    undo()
    recorded.forget()
    if not (not_recorded := _why_not(record)):
        return f"not compiled ({not_compiled})"
    recorded.forget()
    return f"neither compiled ({not_compiled}) nor recorded ({not_recorded})"


def _why_not(record: Callable[[], None]) -> str:
    try:
        record()
    except _CANNOT as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
    return ""
