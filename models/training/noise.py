"""Captions as people type them to be quick or to get past a filter: the same words, spelt otherwise."""

import random
import unicodedata
from collections.abc import Callable

_TEENCODE = (
    ("không", "ko"),
    ("được", "dc"),
    ("vậy", "v"),
    ("rồi", "r"),
    ("thôi", "thoi"),
    ("biết", "bit"),
    ("qu", "w"),
    ("ph", "f"),
    ("gì", "j"),
)
_LOOKALIKES = {"a": "@4", "e": "3", "i": "1!", "o": "0", "s": "$5", "u": "v"}
_SHORTEST_HIDDEN = 3
_CHANGED_SHARE = 0.5
_HIDDEN_SHARE = 0.3
"""Of the words of a caption."""
TITLE_END = "[SEP]"
"""Between a post's title and a comment on it. Few titles stand before many comments: easily learnt by heart."""
_UNTITLED_SHARE = 0.5


def without_accents(text: str) -> str:
    """The text as typed on a keyboard without Vietnamese letters."""
    decomposed = unicodedata.normalize("NFD", text)
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return plain.replace("đ", "d").replace("Đ", "D")


def disguised(text: str, rng: random.Random, *, language: str) -> str:
    """The text in one of the ways below, drawn at random, and every other time without the title it answers."""
    if rng.random() < _UNTITLED_SHARE:
        text = text.rpartition(TITLE_END)[2]
    ways: list[Callable[[str, random.Random], str]] = [_some_words_spaced, _some_words_drawn_out, _some_letters_hidden]
    if language == "vi":
        ways += [_plain, _plain, _plain, _plain, _teencode, _half_plain]
    return rng.choice(ways)(text, rng)


def _plain(text: str, _: random.Random) -> str:
    return without_accents(text)


def _half_plain(text: str, rng: random.Random) -> str:
    return " ".join(without_accents(word) if rng.random() < _CHANGED_SHARE else word for word in text.split())


def _teencode(text: str, _: random.Random) -> str:
    for word, short in _TEENCODE:
        text = text.replace(word, short)
    return text


def _some_words_spaced(text: str, rng: random.Random) -> str:
    return " ".join(" ".join(word) if rng.random() < _CHANGED_SHARE else word for word in text.split())


def _some_words_drawn_out(text: str, rng: random.Random) -> str:
    def drawn_out(word: str) -> str:
        place = rng.randrange(len(word))
        return word[:place] + word[place] * rng.randint(2, 5) + word[place + 1 :]

    return " ".join(drawn_out(word) if rng.random() < _CHANGED_SHARE else word for word in text.split())


def _some_letters_hidden(text: str, rng: random.Random) -> str:
    def hidden(word: str) -> str:
        place = rng.randrange(1, len(word) - 1) if len(word) > _SHORTEST_HIDDEN else 0
        sign = rng.choice(_LOOKALIKES.get(word[place].lower(), "*") + "*")
        return word[:place] + sign + word[place + 1 :] if place else word

    return " ".join(hidden(word) if rng.random() < _HIDDEN_SHARE else word for word in text.split())
