"""Self-attention of Hugging Face encoders: one product for queries, keys and values, and the fastest kernel.

A step of making a network fast on a GPU: same weights, same numbers, fewer and larger products.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

JOINABLE = frozenset(
    {
        "BertSelfAttention",
        "CamembertSelfAttention",
        "ElectraSelfAttention",
        "RobertaSelfAttention",
        "VideoMAESelfAttention",
        "XLMRobertaSelfAttention",
    }
)
"""Classes that are softmax(QKᵀ/√d + mask)V over `query`, `key` and `value`, and answer (states, weights)."""

_REST = (SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)
ORDERS = (
    (SDPBackend.FLASH_ATTENTION, *_REST),
    (SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION, *_REST),
)
"""Which kernels to try, first choice first; those that cannot take a mask or a shape are passed over."""
_RUNS = 3


class JoinedAttention(nn.Module):
    """In the place of a self-attention of JOINABLE; answers no weights."""

    def __init__(self, attention: Any) -> None:  # noqa: ANN401 - any of JOINABLE
        super().__init__()
        parts = (attention.query, attention.key, attention.value)
        self.heads: int = attention.num_attention_heads
        self.look = nn.Linear(parts[0].in_features, sum(part.out_features for part in parts), device="meta")
        self.look.weight = nn.Parameter(torch.cat([part.weight.detach() for part in parts]), requires_grad=False)
        self.look.bias = nn.Parameter(torch.cat([_bias(part) for part in parts]), requires_grad=False)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        **_: Any,  # noqa: ANN401 - what encoders hand on
    ) -> tuple[torch.Tensor, None]:
        """(B, S, W) → (B, S, W)."""
        batch, length, _width = hidden_states.shape
        query, key, value = self.look(hidden_states).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        looked = functional.scaled_dot_product_attention(query, key, value, attn_mask=attention_mask)
        return looked.transpose(1, 2).reshape(batch, length, -1), None


def join_attention(model: nn.Module) -> int:
    """Replace, in place, every self-attention that can be; for inference alone. Returns how many."""
    found = [(name, layer) for name, layer in model.named_modules() if _is_joinable(layer)]
    for name, layer in found:
        model.set_submodule(name, JoinedAttention(layer))
    return len(found)


def fastest_order(run: Callable[[], object]) -> tuple[SDPBackend, ...]:
    """Of ORDERS the one under which `run` takes least time on the current GPU."""
    times_s = {order: _time_s(order, run) for order in ORDERS}
    return min(times_s, key=lambda order: times_s[order])


def _time_s(order: tuple[SDPBackend, ...], run: Callable[[], object]) -> float:
    try:
        with sdpa_kernel(list(order), set_priority=True):
            run()
            torch.cuda.synchronize()
            started_s = time.perf_counter()
            for _ in range(_RUNS):
                run()
            torch.cuda.synchronize()
    except RuntimeError:
        # A kernel that refuses this chip or shape is not the fastest.
        return float("inf")
    return time.perf_counter() - started_s


def _is_joinable(layer: Any) -> bool:  # noqa: ANN401 - any module
    if type(layer).__name__ not in JOINABLE or getattr(layer, "is_decoder", False):
        return False
    uses_sdpa = layer.config._attn_implementation == "sdpa"  # noqa: SLF001 - where transformers keeps it
    # Older releases kept biases, or embeddings of distances, beside the three layers.
    is_plain = not list(layer.parameters(recurse=False)) and not hasattr(layer, "distance_embedding")
    return is_plain and bool(uses_sdpa) and not layer.training


def _bias(layer: Any) -> torch.Tensor:  # noqa: ANN401 - a linear layer; torch types a missing bias as there
    bias = layer.bias if layer.bias is not None else layer.weight.new_zeros(layer.out_features)
    return torch.as_tensor(bias).detach()
