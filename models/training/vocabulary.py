"""Training captions → the character tokenizer, normalisation included, so that serving tokenises as training did."""

from collections import Counter
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import NFC, Lowercase, Replace, Sequence, Strip
from tokenizers.pre_tokenizers import Split

from models.networks.ngrams import PAD_ID, SPACE_ID, UNKNOWN_ID

_SPECIAL = {"<pad>": PAD_ID, "<unk>": UNKNOWN_ID, " ": SPACE_ID}


def build_normalizer() -> Sequence:
    """Compose, lower, mask links and mentions, drop invisible signs, shorten runs of a character to two, trim."""
    return Sequence(
        [
            NFC(),
            Lowercase(),
            Replace(Regex(r"https?://\S+|www\.\S+"), "http"),
            Replace(Regex(r"@[\w.]+"), "@user"),
            Replace(Regex(r"\p{Cf}"), ""),
            Replace(Regex(r"(.)(?=\1\1)"), ""),
            Replace(Regex(r"\s+"), " "),
            Strip(),
        ]
    )


def build_tokenizer(texts: Iterable[str], *, min_char_count: int) -> tuple[Tokenizer, int]:
    """The tokenizer, and the first id of a letter or digit (signs come before).

    Characters seen fewer than min_char_count times become the unknown id.
    """
    normalizer = build_normalizer()
    counts = Counter(char for text in texts for char in normalizer.normalize_str(text))
    known = sorted(char for char, count in counts.items() if count >= min_char_count and char not in _SPECIAL)
    signs = [char for char in known if not char.isalnum()]
    letters = [char for char in known if char.isalnum()]
    vocabulary = _SPECIAL | {char: place for place, char in enumerate(signs + letters, start=len(_SPECIAL))}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))  # noqa: S106 - a token of text
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = Split(Regex(r"[\s\S]"), "isolated")
    return tokenizer, len(_SPECIAL) + len(signs)
