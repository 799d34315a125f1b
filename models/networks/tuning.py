"""A network → the same network as a GPU likes it: larger products, nothing fetched on the way, compiled layers.

Only torch is imported here: what serves is also what `operations/bench/gpu_shapes.py` measures on a bare machine.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from models.networks.attention import join_attention
from models.networks.patches import linear_patches

Compile = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Like torch.compile."""

_RECOMPILES = 64


def rearrange(network: nn.Module, device: torch.device) -> None:
    """Join what can be one product, in place, and bring the tensors along that `Module.to` leaves behind."""
    linear_patches(network)
    join_attention(network)
    for module in network.modules():
        for name, value in list(vars(module).items()):
            # VideoMAE keeps its position embeddings as such, and would copy them from the host for every batch.
            if isinstance(value, torch.Tensor):
                setattr(module, name, value.to(device))


def compile_layers(network: nn.Module, compile_: Compile = torch.compile) -> Callable[[], None]:
    """Have repeated layers, and the scaling of pixels, compiled when they run next; returns what undoes it.

    Layers of one class share their code, so a network of 24 compiles one. `forward` is compiled and not the call:
    the hooks that transformers collects states by would break the code in two.
    """
    # Code is kept per class: engines of several sizes, one after the other, must not use up its places.
    torch._dynamo.config.recompile_limit = _RECOMPILES  # noqa: SLF001 - torch's documented place for it
    places: list[tuple[nn.Module, str]] = [(layer, "forward") for layer in repeated_layers(network)]
    if hasattr(network, "scale_pixels"):
        places.append((network, "scale_pixels"))
    for owner, name in places:
        vars(owner)[name] = compile_(getattr(owner, name))

    def undo() -> None:
        for owner, name in places:
            vars(owner).pop(name)

    return undo


def repeated_layers(network: nn.Module) -> list[nn.Module]:
    """The layers of an encoder: members of a list that are all of one class, which says what they do."""
    lists = [list(module) for module in network.modules() if isinstance(module, nn.ModuleList)]
    return [layer for members in lists if _are_layers(members) for layer in members]


def _are_layers(members: list[nn.Module]) -> bool:
    classes = Counter(type(member) for member in members)
    return len(members) > 1 and len(classes) == 1 and not isinstance(members[0], nn.Sequential)
