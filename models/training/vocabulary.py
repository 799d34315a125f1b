"""Training captions → the pieces they use, the tokenizer over them, and how each piece is spelt."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace

from models.networks.ngrams import SPACE_ID, UNKNOWN_ID
from models.training.encoder import Published
from models.training.normalise import build_normalizer

_SPACE = "\u2581"
_SPECIAL_IDS = (0, 1, 2, 3)
"""Begin, padding, end, unknown: the same in the published vocabulary and in every cut of it."""
_UNKNOWN_PIECE = 3
_ALWAYS = "abcdefghijklmnopqrstuvwxyz0123456789!\"#$%&'()*+,-./:;<=>?@[]^_{|}~" + _SPACE


@dataclass(frozen=True)
class Vocabulary:
    """A cut of the published vocabulary.

    Attributes:
        ids: the published id of each piece kept, in the order of the new ids.
        spelled: (V, K) int16 character ids of each piece, 0 where it has no more.
        first_letter_id: signs come before, letters and digits from here on.
    """

    tokenizer: Tokenizer
    ids: tuple[int, ...]
    spelled: torch.Tensor
    first_letter_id: int


def cut_vocabulary(published: Published, texts: Iterable[str], *, spelling: int) -> Vocabulary:
    """Keep the pieces that the texts use, and those of common single characters."""
    whole = _tokenizer(published, range(len(published.pieces)))
    used = {piece for encoding in whole.encode_batch(list(texts)) for piece in encoding.ids}
    used |= {place for place, piece in enumerate(published.pieces) if piece in _ALWAYS}
    ids = (*_SPECIAL_IDS, *sorted(used - set(_SPECIAL_IDS)))
    spelled, first_letter_id = _spell([published.pieces[place] for place in ids], spelling)
    return Vocabulary(_tokenizer(published, ids), ids, spelled, first_letter_id)


def _tokenizer(published: Published, ids: Iterable[int]) -> Tokenizer:
    # A caption that spells `<s>` out must not become the id: the normaliser removes control characters.
    names = {place: f"\0{published.pieces[place]}" for place in _SPECIAL_IDS}
    pieces = [(names.get(place, published.pieces[place]), round(float(published.scores[place]), 4)) for place in ids]
    tokenizer = Tokenizer(Unigram(pieces, unk_id=_UNKNOWN_PIECE, byte_fallback=False))
    tokenizer.normalizer = build_normalizer()
    tokenizer.pre_tokenizer = Metaspace()
    return tokenizer


def _spell(pieces: list[str], spelling: int) -> tuple[torch.Tensor, int]:
    known = sorted({char for piece in pieces[len(_SPECIAL_IDS) :] for char in piece} - {_SPACE})
    signs = [char for char in known if not char.isalnum()]
    letters = [char for char in known if char.isalnum()]
    id_of = {char: place for place, char in enumerate(signs + letters, start=SPACE_ID + 1)} | {_SPACE: SPACE_ID}
    spelled = torch.zeros(len(pieces), spelling, dtype=torch.int16)
    spelled[_UNKNOWN_PIECE, 0] = UNKNOWN_ID
    for row, piece in enumerate(pieces[len(_SPECIAL_IDS) :], start=len(_SPECIAL_IDS)):
        chars = [id_of[char] for char in piece[:spelling]]
        spelled[row, : len(chars)] = torch.tensor(chars, dtype=torch.int16)
    return spelled, SPACE_ID + 1 + len(signs)
