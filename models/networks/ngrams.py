"""Character ids → rows of a hashed table: every n-gram of characters and of words, computed on the device.

The caption is seen with a space before and after it, so that an n-gram knows whether it begins or ends a word.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional

PAD_ID, UNKNOWN_ID, SPACE_ID = 0, 1, 2
"""The first ids of every character vocabulary; then come signs, then letters and digits."""

_PRIME = 1_000_003
_MIX = 0x2545F4914F6CDD1D
_LONGEST_WORD = 63


@dataclass(frozen=True)
class Ngrams:
    """Table rows of a batch of captions; C = S + 2 characters, W words.

    Attributes:
        char_rows: (B, C, K), the n-grams that end at each character.
        char_real: (B, C, K) bool.
        word_rows: (B, W, M), the word n-grams that end at each word.
        word_real: (B, W, M) bool.
        word_of: (B, C), the word each character belongs to; a space belongs to the word before it.
        is_word: (B, W) bool.
    """

    char_rows: torch.Tensor
    char_real: torch.Tensor
    word_rows: torch.Tensor
    word_real: torch.Tensor
    word_of: torch.Tensor
    is_word: torch.Tensor


@dataclass(frozen=True)
class NgramHasher:
    """The hash: `rows` is a power of two; ids from `first_letter_id` on are letters and digits."""

    rows: int
    first_letter_id: int
    char_orders: int
    word_orders: int

    def __call__(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Ngrams:
        """Hash (B, S) ids."""
        ids, is_real = _with_spaces(input_ids, attention_mask)
        is_space = (ids == SPACE_ID) & is_real
        word_of = (is_space.cumsum(1) - is_space.long() - 1).clamp(min=0)
        char_rows, char_real = self._chars(ids, is_real)
        word_rows, word_real = self._words(ids, is_real, word_of)
        return Ngrams(char_rows, char_real, word_rows, word_real, word_of, _real_words(word_of, is_real))

    def _chars(self, ids: torch.Tensor, is_real: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        position = torch.arange(ids.shape[1], device=ids.device)
        rolling, rows, real = ids, [], []
        for order in range(1, self.char_orders + 1):
            if order > 1:
                rolling = functional.pad(rolling, (1, -1)) * _PRIME + ids
            rows.append(self._row(rolling, order))
            real.append(is_real & (position >= order - 1))
        return torch.stack(rows, dim=2), torch.stack(real, dim=2)

    def _words(
        self, ids: torch.Tensor, is_real: torch.Tensor, word_of: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        is_letter = is_real & (ids >= self.first_letter_id)
        letters_seen = is_letter.long().cumsum(1)
        before_word = torch.where(ids == SPACE_ID, letters_seen, 0).cummax(1).values
        place = (letters_seen - before_word).clamp(max=_LONGEST_WORD)
        letter_hash = _mix(ids * (_LONGEST_WORD + 1) + place) * is_letter
        words = ids.new_zeros(ids.shape[0], int(word_of.max()) + 1).scatter_add_(1, word_of, letter_hash)
        rolling, is_word, rows, real = words, words != 0, [], []
        for order in range(1, self.word_orders + 1):
            if order > 1:
                rolling = functional.pad(rolling, (1, -1)) * _PRIME + words
                is_word = is_word & functional.pad(is_word, (1, -1))
            rows.append(self._row(rolling, self.char_orders + order))
            real.append(is_word)
        return torch.stack(rows, dim=2), torch.stack(real, dim=2)

    def _row(self, hashes: torch.Tensor, kind: int) -> torch.Tensor:
        return _mix(hashes + kind * 0x9E3779B97F4A7C1) & (self.rows - 1)


def _with_spaces(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, S) → (B, S + 2): a space before the caption and one right after its last character."""
    length = attention_mask.sum(1, keepdim=True)
    ids = functional.pad(input_ids * attention_mask, (1, 1))
    position = torch.arange(ids.shape[1], device=ids.device)
    is_border = (position == 0) | (position == length + 1)
    return ids.masked_fill(is_border, SPACE_ID), position <= length + 1


def _real_words(word_of: torch.Tensor, is_real: torch.Tensor) -> torch.Tensor:
    words = int(word_of.max()) + 1
    last = torch.where(is_real, word_of, 0).amax(1, keepdim=True)
    return torch.arange(words, device=word_of.device) <= last


def _mix(hashes: torch.Tensor) -> torch.Tensor:
    """Spread a polynomial hash over all bits; int64 arithmetic wraps, on the CPU and on CUDA alike."""
    mixed = (hashes ^ (hashes >> 31)) * _MIX
    return mixed ^ (mixed >> 29)
