"""Piece ids → label probabilities and states: a small pretrained encoder beside hashed n-grams of the same caption."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from models.networks.config import OwnConfig
from models.networks.encoder import Encoder, EncoderSizes
from models.networks.letters import Letters, spell
from models.networks.ngrams import NgramHasher
from models.networks.outputs import TextOutput
from models.networks.packing import pack_modules, unpack_modules
from models.networks.reader import NgramReader

BEGIN_ID, END_ID = 0, 2
"""Stand before and after every caption the encoder reads; clients do not send them."""

_BRANCHES = 2


class HybridTextConfig(OwnConfig):  # type: ignore[no-untyped-call]  # transformers' hook has no types
    """Sizes of the network, and what validation set.

    Attributes:
        hidden: width of what is read from a piece's state; `rows`, `dim`, `word_hidden`: of the n-gram table.
        spelling: most characters of a piece.
        calibration_below: what the logit of harm is divided by below the cut; calibration_temperature: above it.
        plain_line: bias and weights that tell Vietnamese typed without its accents by a caption's mean state.
        plain_lift: added to the logit of harm of such a caption.
        packed: bits of the layers that are stored as small codes, by the start of their names; empty while training.
    """

    model_type = "clipwarden-hybrid-text"

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - transformers' own signature
        self.width: int = kwargs.pop("width", 384)
        self.layers: int = kwargs.pop("layers", 6)
        self.heads: int = kwargs.pop("heads", 12)
        self.inner: int = kwargs.pop("inner", 1536)
        self.hidden: int = kwargs.pop("hidden", 96)
        self.rows: int = kwargs.pop("rows", 1 << 17)
        self.dim: int = kwargs.pop("dim", 16)
        self.word_hidden: int = kwargs.pop("word_hidden", 48)
        self.char_orders: int = kwargs.pop("char_orders", 5)
        self.word_orders: int = kwargs.pop("word_orders", 2)
        self.first_letter_id: int = kwargs.pop("first_letter_id", 3)
        self.spelling: int = kwargs.pop("spelling", 16)
        self.max_tokens: int = kwargs.pop("max_tokens", 254)
        self.calibration_below: float = kwargs.pop("calibration_below", 1.0)
        self.plain_line: list[float] = kwargs.pop("plain_line", [])
        self.plain_lift: float = kwargs.pop("plain_lift", 0.0)
        self.packed: dict[str, int] = kwargs.pop("packed", {})
        kwargs.setdefault("vocab_size", 1000)
        kwargs.setdefault("id2label", {0: "harmful", 1: "hate", 2: "harassment"})
        kwargs.setdefault("tie_word_embeddings", False)
        super().__init__(**kwargs)

    @property
    def sizes(self) -> EncoderSizes:
        """Of the encoder."""
        return EncoderSizes(self.vocab_size, self.max_tokens + 2, self.width, self.layers, self.heads, self.inner)


@dataclass(frozen=True)
class _Reading:
    """What both branches say of a batch.

    Attributes:
        raw: (B, L) uncalibrated logits.
        pieces: (B, S, H) states; `contributions`: (B, S, L), of each piece together with the word it is in.
    """

    raw: torch.Tensor
    pieces: torch.Tensor
    contributions: torch.Tensor


class HybridTextModel(PreTrainedModel):  # type: ignore[no-untyped-call]  # transformers' hook has no types
    """Labels are harmful first, then kinds of harm: a kind's probability is that of harm times its own given harm."""

    config: HybridTextConfig
    config_class = HybridTextConfig
    base_model_prefix = "text"
    main_input_name = "input_ids"
    half_modules = ("encoder",)
    spelled: torch.Tensor
    plain_line: torch.Tensor

    def __init__(self, config: HybridTextConfig) -> None:
        super().__init__(config)
        labels = len(config.labels)
        self.encoder = Encoder(config.sizes)
        self.read = nn.Linear(config.width, config.hidden)
        self.norm = nn.LayerNorm(config.hidden)
        self.attention = nn.Linear(config.hidden, 1)
        self.piece_logits = nn.Linear(config.hidden, labels)
        self.hasher = NgramHasher(config.rows, config.first_letter_id, config.char_orders, config.word_orders)
        self.ngrams = NgramReader(rows=config.rows, dim=config.dim, hidden=config.word_hidden, labels=labels)
        self.blend = nn.Parameter(torch.full((_BRANCHES, labels), 0.5))
        self.blend_bias = nn.Parameter(torch.zeros(labels))
        self.register_buffer("plain_line", torch.zeros(1 + config.hidden), persistent=False)
        self.register_buffer("spelled", torch.zeros(config.vocab_size, config.spelling, dtype=torch.int16))
        pack_modules(self, config.packed, store=False)
        self.set_plain_line()
        self.post_init()  # type: ignore[no-untyped-call]  # transformers' own

    def _init_weights(self, module: nn.Module) -> None:
        """Keep what torch set, save for the table: n-grams never seen must say next to nothing."""
        if module is self.ngrams.table:
            nn.init.normal_(self.ngrams.table.weight, std=0.02)

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - transformers' own signature
        """Load a folder; packed matrices are unpacked at once."""
        loaded = super().from_pretrained(*args, **kwargs)
        model = loaded[0] if isinstance(loaded, tuple) else loaded
        unpack_modules(model)
        model.set_plain_line()
        return loaded

    def set_plain_line(self) -> None:
        """Take the line over from the config, which keeps it beside the calibration: it is fitted after training."""
        self.plain_line = self.plain_line.new_tensor(self.config.plain_line or [0.0] * len(self.plain_line))

    @property
    def ngram_keep(self) -> float:
        """The share of n-grams that training leaves in."""
        return self.ngrams.keep

    @ngram_keep.setter
    def ngram_keep(self, share: float) -> None:
        self.ngrams.keep = share

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> TextOutput:
        """Score (B, S) captions; the first state sums up the caption, the others are its pieces in turn.

        A caption without an id scores 0: there is nothing to read.
        """
        reading = self._read(input_ids, attention_mask)
        harm = torch.sigmoid(self.calibrated(reading.raw[:, :1])) * attention_mask.amax(1, keepdim=True)
        kinds = harm * torch.sigmoid(reading.raw[:, 1:])
        token_scores = _share(reading.contributions[:, :, 0], harm) * attention_mask
        state_mask = functional.pad(attention_mask.bool(), (1, 0), value=True)
        return TextOutput(
            torch.cat([harm, kinds], dim=1), _with_summary(reading, attention_mask), state_mask, token_scores
        )

    def calibrated(self, harm: torch.Tensor) -> torch.Tensor:
        """Logits of harm, moved so that 0 is the cut, and scaled on either side of it so that they mean odds."""
        moved = harm + self.config.calibration_bias
        above = moved.clamp(min=0) / self.config.calibration_temperature
        return above + moved.clamp(max=0) / self.config.calibration_below

    def logits(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Uncalibrated (B, L) logits: of harm, then of each kind given harm."""
        return self._read(input_ids, attention_mask).raw

    def branch_logits(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """(B, 2, L): what encoder and n-grams say each for itself."""
        _, contributions = self._read_pieces(input_ids, attention_mask)
        said, _ = self.read_words(input_ids, attention_mask)
        return torch.stack([contributions.sum(1), said.sum(1) + self.ngrams.linear.bias], dim=1)

    def summary(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """(B, H): the mean of what is read from the pieces' states."""
        pieces, _ = self._read_pieces(input_ids, attention_mask)
        return _mean(pieces[:, 1:-1], attention_mask)

    def plain(self, summary: torch.Tensor) -> torch.Tensor:
        """(B, H) → (B, 1): how sure it is that the caption is Vietnamese typed without its accents."""
        return torch.sigmoid(summary @ self.plain_line[1:, None] + self.plain_line[0])

    def bordered_states(
        self, encoder: nn.Module, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """States (B, 1 + S + 1, W) of the bordered caption, float32, and which are real."""
        ids, is_real = _bordered(input_ids, attention_mask)
        return encoder(ids, is_real).float(), is_real

    def read_states(self, states: torch.Tensor, is_real: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What is read from each state (B, 1 + S + 1, H), and what it adds to each of the encoder's logits."""
        pieces = self.norm(functional.gelu(self.read(states)))
        weight = self.attention(pieces).squeeze(2).masked_fill(~is_real, -math.inf).softmax(1)
        return pieces, weight.unsqueeze(2) * self.piece_logits(pieces)

    def read_words(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What each word adds to each of the n-grams' logits (B, W, L), and the word each piece is in (B, S)."""
        letters: Letters = spell(self.spelled, input_ids, attention_mask)
        ngrams = self.hasher(letters.ids, letters.mask)
        return self.ngrams(ngrams), ngrams.word_of.gather(1, letters.last_of)

    def _read_pieces(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.read_states(*self.bordered_states(self.encoder, input_ids, attention_mask))

    def _read(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> _Reading:
        pieces, by_piece = self._read_pieces(input_ids, attention_mask)
        by_word, word_of = self.read_words(input_ids, attention_mask)
        by_piece, by_word = by_piece * self.blend[0], by_word * self.blend[1]
        raw = by_piece.sum(1) + by_word.sum(1) + self.ngrams.linear.bias * self.blend[1] + self.blend_bias
        lift = self.config.plain_lift * self.plain(_mean(pieces[:, 1:-1], attention_mask))
        raw = raw + functional.pad(lift, (0, raw.shape[1] - 1))
        place = word_of.unsqueeze(2).expand(-1, -1, by_word.shape[2])
        inside = by_piece[:, 1:-1] * attention_mask.unsqueeze(2)
        together = by_word.scatter_add(1, place, inside).gather(1, place)
        return _Reading(raw, pieces[:, 1:-1], together)


def _bordered(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, S) → (B, S + 2): the border ids before a caption and right after its last piece."""
    length = attention_mask.sum(1, keepdim=True)
    ids = functional.pad(input_ids * attention_mask, (1, 1), value=BEGIN_ID)
    position = torch.arange(ids.shape[1], device=ids.device)
    return ids.masked_fill(position == length + 1, END_ID).masked_fill(position == 0, BEGIN_ID), position <= length + 1


def _with_summary(reading: _Reading, attention_mask: torch.Tensor) -> torch.Tensor:
    """(B, 1 + S, H + L): each piece beside what it adds, after the mean piece beside the logits."""
    summary = torch.cat([_mean(reading.pieces, attention_mask), reading.raw], dim=1).unsqueeze(1)
    return torch.cat([summary, torch.cat([reading.pieces, reading.contributions], dim=2)], dim=1)


def _mean(pieces: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """(B, S, H) → (B, H) over the real pieces."""
    mask = attention_mask.unsqueeze(2)
    return (pieces * mask).sum(1) / mask.sum(1).clamp(min=1)


def _share(contributions: torch.Tensor, harm: torch.Tensor) -> torch.Tensor:
    """(B, S): the most harmful word gets the caption's own probability, the others less by their part of it.

    The root lifts words beside the worst one: at a cut of 0.3 the marked characters match annotators' spans best.
    """
    positive = contributions.clamp(min=0)
    return harm * (positive / positive.amax(1, keepdim=True).clamp(min=1e-6)) ** (1 / 3)
