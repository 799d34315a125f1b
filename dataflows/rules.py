"""Text rules → signals with the span that fired: whole normalised words, never substrings. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from core.events import Signal
from dataflows.policy import Policy

# Letters with their combining marks, so that decomposed Vietnamese is one word; "_" and "#" split hashtags.
_WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+")


class _Word(NamedTuple):
    normal: str
    start: int
    end: int


class _Phrase(NamedTuple):
    rule: str
    label: str
    words: tuple[str, ...]


class RuleBook:
    """The rules of one policy, ready to match."""

    def __init__(self, policy: Policy) -> None:
        self._teencode = {_normal(key): value for key, value in policy.teencode.items()}
        self._by_first_word: dict[str, list[_Phrase]] = {}
        for rule in policy.rules:
            for phrase in rule.phrases:
                words = tuple(_normal(word) for word in phrase.split())
                self._by_first_word.setdefault(words[0], []).append(_Phrase(rule.name, rule.label, words))

        self._telling = self._telling_words()

    def signals(self, caption: str | None, hashtags: Sequence[str] = ()) -> tuple[Signal, ...]:
        """Every phrase found in the caption, with its span; one found in a hashtag has the span (0, 0)."""
        found = list(self._match(caption)) if caption else []
        for hashtag in hashtags:
            found += [signal.model_copy(update={"start": 0, "end": 0}) for signal in self._match(hashtag)]
        return tuple(found)

    def _telling_words(self) -> frozenset[str]:
        """Without one of these no text can match: each phrase's longest word, and teencode that stands for one."""
        phrases = [phrase.words for found in self._by_first_word.values() for phrase in found]
        longest = {max(words, key=len) for words in phrases}
        spoken = {word for words in phrases for word in words}
        coded = {code for code, text in self._teencode.items() if spoken & {_normal(word) for word in text.split()}}
        return frozenset(longest | coded)

    def _match(self, text: str) -> Iterator[Signal]:
        # Most captions hold none of the words; a search for substrings costs a tenth of taking them apart.
        plain = _normal(text)
        if not any(word in plain for word in self._telling):
            return
        words = list(_words(text, self._teencode))
        for at, (first, start, _) in enumerate(words):
            for phrase in self._by_first_word.get(first, ()):
                found = words[at : at + len(phrase.words)]
                if tuple(word.normal for word in found) == phrase.words:
                    end = found[-1].end
                    yield Signal(rule=phrase.rule, label=phrase.label, start=start, end=end, text=text[start:end])


def _words(text: str, teencode: Mapping[str, str]) -> Iterator[_Word]:
    for match in _WORD.finditer(text):
        normal = _normal(match[0])
        if (stands_for := teencode.get(normal)) is None:
            yield _Word(normal, match.start(), match.end())
            continue
        # A teencode word may stand for several; all of them carry the span of the one that was written.
        for part in stands_for.split():
            yield _Word(_normal(part), match.start(), match.end())


def _normal(word: str) -> str:
    return word.lower() if word.isascii() else unicodedata.normalize("NFC", word).casefold()
