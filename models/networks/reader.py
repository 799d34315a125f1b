"""Hashed n-grams of a caption → what each word says: a linear reading of its n-grams and a little context."""

import math

import torch
from torch import nn
from torch.nn import functional

from models.networks.ngrams import Ngrams


class NgramReader(nn.Module):
    """What each word adds to each logit.

    Attributes:
        keep: the share of n-grams that training leaves in.
    """

    def __init__(self, *, rows: int, dim: int, hidden: int, labels: int) -> None:
        super().__init__()
        self.keep = 1.0
        self.table = nn.Embedding(rows, dim)
        self.linear = nn.Linear(dim, labels)
        self.widen = nn.Linear(dim, hidden)
        self.context = nn.Conv1d(hidden, hidden, kernel_size=5, padding=2)
        self.norm = nn.LayerNorm(hidden)
        self.dropout = nn.Dropout(0.2)
        self.attention = nn.Linear(hidden, 1)
        self.word_logits = nn.Linear(hidden, labels)

    def forward(self, ngrams: Ngrams) -> torch.Tensor:
        """What each word adds to each logit, (B, W, L); `linear.bias` is added once a caption."""
        words, counts = self._embed(ngrams)
        total = counts.sum(1, keepdim=True).clamp(min=1)
        direct = functional.linear(words, self.linear.weight) / total.sqrt().unsqueeze(2)
        hidden = functional.gelu(self.widen(words / counts.clamp(min=1).sqrt().unsqueeze(2)))
        hidden = self.dropout(hidden * ngrams.is_word.unsqueeze(2))
        hidden = self.norm(hidden + functional.gelu(self.context(hidden.transpose(1, 2)).transpose(1, 2)))
        weight = self.attention(hidden).squeeze(2).masked_fill(~ngrams.is_word, -math.inf).softmax(1)
        said: torch.Tensor = direct + weight.unsqueeze(2) * self.word_logits(hidden)
        return said

    def _embed(self, ngrams: Ngrams) -> tuple[torch.Tensor, torch.Tensor]:
        """Sum of each word's n-gram rows (B, W, D), and how many they are (B, W)."""
        chars, char_counts = self._bag(ngrams.char_rows, ngrams.char_real)
        words, word_counts = self._bag(ngrams.word_rows, ngrams.word_real)
        place = ngrams.word_of.unsqueeze(2).expand_as(chars)
        return words.scatter_add(1, place, chars), word_counts.scatter_add(1, ngrams.word_of, char_counts)

    def _bag(self, rows: torch.Tensor, real: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        weights = real.float()
        if self.training:
            weights = weights * (torch.rand_like(weights) < self.keep)
        size = rows.shape[2]
        bags = functional.embedding_bag(
            rows.reshape(-1, size), self.table.weight, per_sample_weights=weights.reshape(-1, size), mode="sum"
        )
        return bags.view(*rows.shape[:2], -1), weights.sum(2)
