import unicodedata

import pytest

from core.errors import ConfigError
from models.tokens import CaptionTokenizer
from models.training.vocabulary import build_tokenizer

SAMPLE = ["Đồ ngu này, thế à? hello world @user http #tag 123"] * 30


@pytest.fixture(scope="module")
def tokenizer() -> CaptionTokenizer:
    return CaptionTokenizer(build_tokenizer(SAMPLE, min_char_count=1)[0].to_str().encode(), 64)


def texts_of(caption: str, offsets: tuple[tuple[int, int], ...]) -> list[str]:
    return [caption[start:end] for start, end in offsets]


@pytest.mark.parametrize("caption", ["", "   ", "\n\t", "\u200b"])
def test_a_caption_with_nothing_to_read_has_no_ids(tokenizer: CaptionTokenizer, caption: str) -> None:
    assert tokenizer.encode(caption).ids == ()


def test_unknown_signs_are_read_as_unknown(tokenizer: CaptionTokenizer) -> None:
    encoded = tokenizer.encode("😀🫠")

    assert encoded.ids == (1, 1)
    assert encoded.offsets == ((0, 1), (1, 2))


def test_decomposed_accents_give_the_same_ids_and_point_at_whole_letters(tokenizer: CaptionTokenizer) -> None:
    composed, decomposed = (unicodedata.normalize(form, "thế Đồ ngu") for form in ("NFC", "NFD"))

    encoded = tokenizer.encode(decomposed)

    assert encoded.ids == tokenizer.encode(composed).ids
    letters = [unicodedata.normalize("NFC", letter) for letter in texts_of(decomposed, encoded.offsets)]
    assert letters == list(composed)


def test_case_links_mentions_and_long_runs_do_not_matter(tokenizer: CaptionTokenizer) -> None:
    plain = tokenizer.encode("hello @user http").ids

    assert tokenizer.encode("HELLOOOO  @some.one https://a.b/c?d=1").ids != ()
    assert tokenizer.encode("HELLO   @some.one https://a.b/c?d=1").ids == plain
    assert tokenizer.encode("nguuuuuuu").ids == tokenizer.encode("nguuu").ids


def test_offsets_point_into_the_text_as_given(tokenizer: CaptionTokenizer) -> None:
    caption = "  Hello   world"

    encoded = tokenizer.encode(caption)

    assert "".join(texts_of(caption, encoded.offsets)).split() == ["Hello", "world"]


def test_long_captions_are_cut(tokenizer: CaptionTokenizer) -> None:
    assert len(tokenizer.encode("ab " * 500).ids) == 64


def test_what_is_no_tokenizer_is_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match="tokenizer") as refusal:
        CaptionTokenizer(b"{}", 10)
    assert "\n" not in str(refusal.value)
