"""Captions → ids with their places in the original text: what the flow runs before a request. No torch here."""

import unicodedata
from dataclasses import dataclass

from tokenizers import Tokenizer

from core.errors import ConfigError


@dataclass(frozen=True)
class Encoded:
    """A caption as ids; ids[i] stands for the characters offsets[i] = (start, end) of the text as it was given."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]


class CaptionTokenizer:
    """A fast tokenizer as served beside the text model; longer captions are cut at max_tokens."""

    def __init__(self, tokenizer_json: bytes, max_tokens: int) -> None:
        self._tokenizer = _load(tokenizer_json)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)

    def encode(self, text: str) -> Encoded:
        """Tokenise one caption; an empty or blank one has no ids of its own."""
        encoding = self._tokenizer.encode(text)
        return Encoded(tuple(encoding.ids), tuple(_whole_letters(text, *offsets) for offsets in encoding.offsets))


def _whole_letters(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out the space before a word; take in the accents after a decomposed letter, which composing leaves."""
    while start < end - 1 and text[start].isspace():
        start += 1
    while start < end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return start, end


def _load(tokenizer_json: bytes) -> Tokenizer:
    try:
        return Tokenizer.from_buffer(tokenizer_json)
    except ValueError as error:
        raise ConfigError(
            f"the served tokenizer cannot be read ({error}); serve a folder with a tokenizer.json"
        ) from error
