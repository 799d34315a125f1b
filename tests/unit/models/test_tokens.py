import unicodedata

import pytest
import torch

from core.errors import ConfigError
from models.networks.letters import spell
from models.networks.ngrams import SPACE_ID
from models.tokens import CaptionTokenizer
from models.training.captions import encode, pad
from models.training.encoder import load_published
from models.training.noise import without_accents
from models.training.normalise import build_normalizer
from models.training.vocabulary import Vocabulary, cut_vocabulary

SAMPLE = ["Đồ ngu này, thế à? hello world @user http #tag 123", "con chó mẹ mày fuck you too", "do ngu con cho me may"]
CAPTIONS = [
    *SAMPLE,
    "  Hello   WORLD ",
    "n.g.u nguuuu",
    unicodedata.normalize("NFD", "thế Đồ ngu"),
    "https://a.b @c 😀",
]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return cut_vocabulary(load_published(), SAMPLE, spelling=16)


@pytest.fixture(scope="module")
def tokenizer(vocabulary: Vocabulary) -> CaptionTokenizer:
    return CaptionTokenizer(vocabulary.tokenizer.to_str().encode(), 64)


def texts_of(caption: str, offsets: tuple[tuple[int, int], ...]) -> list[str]:
    return [caption[start:end] for start, end in offsets]


@pytest.mark.parametrize("caption", ["", "   ", "\n\t", "\u200b", "\u0000"])
def test_a_caption_with_nothing_to_read_has_no_ids(tokenizer: CaptionTokenizer, caption: str) -> None:
    assert tokenizer.encode(caption).ids == ()


def test_training_and_serving_read_the_same_tensors(vocabulary: Vocabulary, tokenizer: CaptionTokenizer) -> None:
    trained = pad(encode(vocabulary.tokenizer, CAPTIONS))

    served = pad([torch.tensor(tokenizer.encode(caption).ids, dtype=torch.long) for caption in CAPTIONS])

    assert all(torch.equal(ours, theirs) for ours, theirs in zip(trained, served, strict=True))


def test_unknown_signs_are_read_as_unknown(tokenizer: CaptionTokenizer) -> None:
    encoded = tokenizer.encode("hello 😀🫠")

    assert encoded.ids[-1] == 3
    assert texts_of("hello 😀🫠", encoded.offsets)[-1].strip() == "😀🫠"


def test_what_is_spelt_like_a_special_piece_is_text(tokenizer: CaptionTokenizer) -> None:
    assert not {0, 1, 2} & set(tokenizer.encode("<s> <pad> </s>").ids)


def test_decomposed_accents_give_the_same_ids_and_point_at_whole_letters(tokenizer: CaptionTokenizer) -> None:
    composed, decomposed = (unicodedata.normalize(form, "thế Đồ ngu") for form in ("NFC", "NFD"))

    encoded = tokenizer.encode(decomposed)

    assert encoded.ids == tokenizer.encode(composed).ids
    letters = [unicodedata.normalize("NFC", letter) for letter in texts_of(decomposed, encoded.offsets)]
    assert "".join(letters) == composed.replace(" ", "")


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("HELLO   @some.one https://a.b/c?d=1", "hello @user http"),
        ("nguuuuuuu", "ngu"),
        ("nnngggguuu", "ngu"),
        ("n g u", "ngu"),
        ("n.g-u", "ngu"),
        ("đ ồ   n g u", "đồ ngu"),
        ("f u c k   y o u", "fuck you"),
        ("n\u200bg\u200bu", "ngu"),
        ("\N{MATHEMATICAL BOLD SMALL N}gu", "ngu"),
    ],
)
def test_other_spellings_of_the_same_are_read_alike(tokenizer: CaptionTokenizer, disguised: str, plain: str) -> None:
    assert tokenizer.encode(disguised).ids == tokenizer.encode(plain).ids


@pytest.mark.parametrize("caption", ["a e ơi", "t k biết", "see you", "good hello", "xoong"])
def test_ordinary_spelling_is_left_alone(caption: str) -> None:
    assert build_normalizer().normalize_str(caption) == caption


def test_offsets_point_into_the_text_as_given(tokenizer: CaptionTokenizer) -> None:
    caption = "  Hello   n g u"

    encoded = tokenizer.encode(caption)

    pieces = texts_of(caption, encoded.offsets)
    assert ("".join(pieces[:-1]), pieces[-1]) == ("Hello", "n g u")


def test_long_captions_are_cut(tokenizer: CaptionTokenizer) -> None:
    assert len(tokenizer.encode("hello world " * 500).ids) == 64


def test_pieces_spell_the_caption(vocabulary: Vocabulary) -> None:
    captions = ["đồ ngu", "a", "fuck you too"]
    ids, mask = pad(encode(vocabulary.tokenizer, captions))

    letters = spell(vocabulary.spelled, ids, mask)

    lengths = letters.mask.sum(1).tolist()
    assert lengths == [len(caption) for caption in captions]
    assert (letters.ids[2] == SPACE_ID).nonzero().flatten().tolist() == [4, 8]
    assert letters.last_of[0, -1] == len("đồ ngu")
    assert len(set(letters.ids[1, :1].tolist()) & set(letters.ids[0].tolist())) == 0


def test_a_plain_keyboard_has_no_accents() -> None:
    assert without_accents("Đồ ngu quá") == "Do ngu qua"


def test_what_is_no_tokenizer_is_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match="tokenizer") as refusal:
        CaptionTokenizer(b"{}", 10)
    assert "\n" not in str(refusal.value)
