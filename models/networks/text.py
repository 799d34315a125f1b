"""Caption ids → label probabilities and word states: hashed n-grams, a linear reading of them and a little context."""

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from models.networks.config import OwnConfig
from models.networks.ngrams import NgramHasher, Ngrams
from models.networks.outputs import TextOutput


class NgramTextConfig(OwnConfig):  # type: ignore[no-untyped-call]  # transformers' hook has no types
    """Sizes of the network, and what validation set.

    Attributes:
        rows: size of the hashed table, a power of two.
        dim: width of a row; `hidden`: width of a word's state.
    """

    model_type = "clipwarden-text"

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - transformers' own signature
        self.rows: int = kwargs.pop("rows", 1 << 17)
        self.dim: int = kwargs.pop("dim", 16)
        self.hidden: int = kwargs.pop("hidden", 48)
        self.char_orders: int = kwargs.pop("char_orders", 5)
        self.word_orders: int = kwargs.pop("word_orders", 2)
        self.first_letter_id: int = kwargs.pop("first_letter_id", 3)
        self.max_tokens: int = kwargs.pop("max_tokens", 1024)
        kwargs.setdefault("id2label", {0: "harmful", 1: "hate", 2: "harassment"})
        kwargs.setdefault("tie_word_embeddings", False)
        super().__init__(**kwargs)


class NgramTextModel(PreTrainedModel):  # type: ignore[no-untyped-call]  # transformers' hook has no types
    """Labels are harmful first, then kinds of harm: a kind's probability is that of harm times its own given harm."""

    config: NgramTextConfig
    config_class = NgramTextConfig
    base_model_prefix = "text"
    main_input_name = "input_ids"
    half_modules = ()

    def __init__(self, config: NgramTextConfig) -> None:
        super().__init__(config)
        labels = len(config.labels)
        self.hasher = NgramHasher(config.rows, config.first_letter_id, config.char_orders, config.word_orders)
        self.ngram_keep = 1.0
        self.table = nn.Embedding(config.rows, config.dim)
        self.linear = nn.Linear(config.dim, labels)
        self.widen = nn.Linear(config.dim, config.hidden)
        self.context = nn.Conv1d(config.hidden, config.hidden, kernel_size=5, padding=2)
        self.norm = nn.LayerNorm(config.hidden)
        self.dropout = nn.Dropout(0.2)
        self.attention = nn.Linear(config.hidden, 1)
        self.word_logits = nn.Linear(config.hidden, labels)
        self.post_init()  # type: ignore[no-untyped-call]  # transformers' own

    def _init_weights(self, module: nn.Module) -> None:
        """Keep what torch set, save for the table: n-grams never seen must say next to nothing."""
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> TextOutput:
        """Score (B, S) captions; the first state sums up the caption, the others are its words in turn.

        A caption without an id scores 0: there is nothing to read.
        """
        ngrams = self.hasher(input_ids, attention_mask)
        words, contributions = self.read(ngrams)
        raw = contributions.sum(1) + self.linear.bias
        logits = self.calibrated(raw)
        harm = torch.sigmoid(logits[:, :1]) * attention_mask.amax(1, keepdim=True)
        kinds = harm * torch.sigmoid(logits[:, 1:])
        scores = _share(contributions[:, :, 0], harm)
        token_scores = scores.gather(1, ngrams.word_of)[:, 1:-1] * attention_mask
        states = _with_summary(words, contributions, raw, ngrams.is_word)
        state_mask = functional.pad(ngrams.is_word, (1, 0), value=True)
        return TextOutput(torch.cat([harm, kinds], dim=1), states, state_mask, token_scores)

    def logits(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Uncalibrated (B, L) logits: of harm, then of each kind given harm."""
        _, contributions = self.read(self.hasher(input_ids, attention_mask))
        return contributions.sum(1) + self.linear.bias

    def calibrated(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits with the harmful one shifted and scaled as validation asked."""
        harm = (logits[:, :1] + self.config.calibration_bias) / self.config.calibration_temperature
        return torch.cat([harm, logits[:, 1:]], dim=1)

    def read(self, ngrams: Ngrams) -> tuple[torch.Tensor, torch.Tensor]:
        """Word states (B, W, H) and what each word adds to each logit (B, W, L)."""
        words, counts = self._embed(ngrams)
        total = counts.sum(1, keepdim=True).clamp(min=1)
        direct = functional.linear(words, self.linear.weight) / total.sqrt().unsqueeze(2)
        hidden = functional.gelu(self.widen(words / counts.clamp(min=1).sqrt().unsqueeze(2)))
        hidden = self.dropout(hidden * ngrams.is_word.unsqueeze(2))
        hidden = self.norm(hidden + functional.gelu(self.context(hidden.transpose(1, 2)).transpose(1, 2)))
        weight = self.attention(hidden).squeeze(2).masked_fill(~ngrams.is_word, -math.inf).softmax(1)
        return hidden, direct + weight.unsqueeze(2) * self.word_logits(hidden)

    def _embed(self, ngrams: Ngrams) -> tuple[torch.Tensor, torch.Tensor]:
        """Sum of each word's n-gram rows (B, W, D), and how many they are (B, W)."""
        chars, char_counts = self._bag(ngrams.char_rows, ngrams.char_real)
        words, word_counts = self._bag(ngrams.word_rows, ngrams.word_real)
        place = ngrams.word_of.unsqueeze(2).expand_as(chars)
        return words.scatter_add(1, place, chars), word_counts.scatter_add(1, ngrams.word_of, char_counts)

    def _bag(self, rows: torch.Tensor, real: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        weights = real.float()
        if self.training:
            weights = weights * (torch.rand_like(weights) < self.ngram_keep)
        size = rows.shape[2]
        bags = functional.embedding_bag(
            rows.reshape(-1, size), self.table.weight, per_sample_weights=weights.reshape(-1, size), mode="sum"
        )
        return bags.view(*rows.shape[:2], -1), weights.sum(2)


def _with_summary(
    words: torch.Tensor, contributions: torch.Tensor, logits: torch.Tensor, is_word: torch.Tensor
) -> torch.Tensor:
    """(B, 1 + W, H + L): what was read of each word beside what it adds, after the mean word beside the logits."""
    mean = (words * is_word.unsqueeze(2)).sum(1) / is_word.sum(1, keepdim=True).clamp(min=1)
    summary = torch.cat([mean, logits], dim=1).unsqueeze(1)
    return torch.cat([summary, torch.cat([words, contributions], dim=2)], dim=1)


def _share(contributions: torch.Tensor, harm: torch.Tensor) -> torch.Tensor:
    """(B, W): the most harmful word gets the caption's own probability, the others less by their part of it.

    The root lifts words beside the worst one: at a cut of 0.3 the marked characters match annotators' spans best.
    """
    positive = contributions.clamp(min=0)
    return harm * (positive / positive.amax(1, keepdim=True).clamp(min=1e-6)) ** (1 / 3)
