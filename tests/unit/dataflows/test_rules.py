"""Signals: whole normalised words with their span, never substrings."""

import unicodedata

import pytest

from dataflows.policy import BUNDLED, parse_policy
from dataflows.rules import RuleBook

POLICY = parse_policy(BUNDLED.read_bytes(), origin="bundled")
RULES = RuleBook(POLICY)


@pytest.mark.parametrize(
    "caption",
    ["Like and share", "make a cake", "#keto", "Podcast học tiếng Anh", "kẹo dừa cho bé", "tiktoker", "skill yourself"],
)
def test_harmless_look_alikes_fire_nothing(caption: str) -> None:
    assert RULES.signals(caption) == ()


@pytest.mark.parametrize(
    "caption",
    ["tao GIẾT MÀY luôn", unicodedata.normalize("NFD", "tao giết mày luôn"), "#giết_mày", "giết, mày!"],
)
def test_case_decomposition_and_hashtags_do_not_hide_a_threat(caption: str) -> None:
    (signal,) = RULES.signals(caption)

    assert signal.rule == "threat-vi"
    assert caption[signal.start : signal.end] == signal.text


def test_teencode_is_read_and_the_span_is_what_was_written() -> None:
    (signal,) = RULES.signals("thằng này đm quá")

    assert (signal.rule, signal.text) == ("insult-vi", "đm")


def test_hashtags_fire_without_a_caption_span() -> None:
    (signal,) = RULES.signals(None, ["kill_yourself"])

    assert (signal.start, signal.end, signal.text) == (0, 0, "kill_yourself")
