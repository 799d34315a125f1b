"""Text rules → signals with the span that fired: whole normalised words, never substrings. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.events import Signal
from dataflows.policy import Policy

# Letters with their combining marks, so that decomposed Vietnamese is one word; "_" and "#" split hashtags.
_WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+")


@dataclass(frozen=True)
class _Word:
    normal: str
    start: int
    end: int


class RuleBook:
    """The rules of one policy, ready to match."""

    def __init__(self, policy: Policy) -> None:
        self._teencode = {_normal(key): value for key, value in policy.teencode.items()}
        self._phrases = [
            (rule.name, rule.label, tuple(_normal(word) for word in phrase.split()))
            for rule in policy.rules
            for phrase in rule.phrases
        ]

    def signals(self, caption: str | None, hashtags: Sequence[str] = ()) -> tuple[Signal, ...]:
        """Every phrase found in the caption, with its span; one found in a hashtag has the span (0, 0)."""
        found = list(self._match(caption)) if caption else []
        for hashtag in hashtags:
            found += [signal.model_copy(update={"start": 0, "end": 0}) for signal in self._match(hashtag)]
        return tuple(found)

    def _match(self, text: str) -> Iterator[Signal]:
        words = list(_words(text, self._teencode))
        normals = [word.normal for word in words]
        for name, label, phrase in self._phrases:
            for at in range(len(words) - len(phrase) + 1):
                if tuple(normals[at : at + len(phrase)]) == phrase:
                    start, end = words[at].start, words[at + len(phrase) - 1].end
                    yield Signal(rule=name, label=label, start=start, end=end, text=text[start:end])


def _words(text: str, teencode: Mapping[str, str]) -> Iterator[_Word]:
    for match in _WORD.finditer(text):
        normal = _normal(match[0])
        # A teencode word may stand for several; all of them carry the span of the one that was written.
        for part in teencode.get(normal, normal).split():
            yield _Word(_normal(part), match.start(), match.end())


def _normal(word: str) -> str:
    return unicodedata.normalize("NFC", word).casefold()
