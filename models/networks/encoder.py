"""Piece ids → a state of each piece: the transformer encoder of the BERT family, as few lines as it takes."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

_EPSILON = 1e-12


@dataclass(frozen=True)
class EncoderSizes:
    """How large an encoder is: pieces, longest input, width of a state, layers, heads, width between a layer's two."""

    pieces: int
    positions: int
    width: int
    layers: int
    heads: int
    inner: int


class EncoderLayer(nn.Module):
    """Every piece looks at every other, then thinks for itself; normalised after each."""

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.look = nn.Linear(sizes.width, 3 * sizes.width)
        self.mix = nn.Linear(sizes.width, sizes.width)
        self.look_norm = nn.LayerNorm(sizes.width, eps=_EPSILON)
        self.widen = nn.Linear(sizes.width, sizes.inner)
        self.narrow = nn.Linear(sizes.inner, sizes.width)
        self.think_norm = nn.LayerNorm(sizes.width, eps=_EPSILON)

    def forward(self, states: torch.Tensor, is_seen: torch.Tensor) -> torch.Tensor:
        """(B, S, W) → (B, S, W); is_seen is (B, 1, 1, S) bool."""
        batch, length, width = states.shape
        query, key, value = self.look(states).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind()
        looked = _attend(query, key, value, is_seen).transpose(1, 2).reshape(batch, length, width)
        states = self.look_norm(states + self.mix(looked))
        result: torch.Tensor = self.think_norm(states + self.narrow(functional.gelu(self.widen(states))))
        return result


class Encoder(nn.Module):
    """Words, places, layers."""

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.words = nn.Embedding(sizes.pieces, sizes.width)
        self.places = nn.Embedding(sizes.positions, sizes.width)
        self.norm = nn.LayerNorm(sizes.width, eps=_EPSILON)
        self.layers = nn.ModuleList(EncoderLayer(sizes) for _ in range(sizes.layers))

    def forward(self, input_ids: torch.Tensor, is_real: torch.Tensor) -> torch.Tensor:
        """(B, S) ids and bool mask → (B, S, W)."""
        states: torch.Tensor = self.norm(self.words(input_ids) + self.places.weight[: input_ids.shape[1]])
        is_seen = is_real[:, None, None]
        for layer in self.layers:
            states = layer(states, is_seen)
        return states


def _attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, is_seen: torch.Tensor) -> torch.Tensor:
    if not torch.is_grad_enabled():
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=is_seen)
    # On short captions the fused kernel's backward pass costs the CPU several times this.
    scores = (query @ key.transpose(2, 3)) * query.shape[3] ** -0.5
    weights: torch.Tensor = scores.masked_fill(~is_seen, -1e4).softmax(3)
    return weights @ value
