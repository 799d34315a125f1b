"""Piece ids → the characters they spell, on the device: a client sends one sequence of ids for both readings."""

from dataclasses import dataclass

import torch

from models.networks.ngrams import SPACE_ID


@dataclass(frozen=True)
class Letters:
    """Characters of a batch of captions.

    Attributes:
        ids: (B, C) character ids; `mask`: (B, C), 1 where one is real.
        last_of: (B, S), 1 + the place of each piece's last character, 0 before the first.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    last_of: torch.Tensor


def spell(table: torch.Tensor, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Letters:
    """Spell (B, S) pieces by a (V, K) table of character ids, 0 where a piece has no more.

    The space that begins a caption is left out.
    """
    chars = table[input_ids].long() * attention_mask.unsqueeze(2)
    chars[:, 0, 0] *= chars[:, 0, 0] != SPACE_ID
    is_real = chars > 0
    last_of = is_real.sum(2).cumsum(1)
    flat, flat_real = chars.flatten(1), is_real.flatten(1)
    longest = max(1, int(last_of[:, -1].max()))
    place = torch.where(flat_real, flat_real.cumsum(1) - 1, longest)
    ids = flat.new_zeros(len(flat), longest + 1).scatter_(1, place, flat)[:, :longest]
    return Letters(ids, (ids > 0).long(), last_of)
