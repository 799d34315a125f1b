"""Captions → one spelling, inside the tokenizer, so that training and serving read alike and offsets stay true."""

from tokenizers import Regex
from tokenizers.normalizers import NFKC, Lowercase, Replace, Sequence, Strip

_SIGN = r"[ .*\-]"
_NEXT_LETTER = r"(?=\p{L}\b)"
_SPACED = "|".join(
    [
        # Between single letters, three or more of them in a row: `n g u`, `f.u.c.k`; `a e oi` stays.
        rf"(?<=\b\p{{L}}){_SIGN}(?=\p{{L}}{_SIGN}\p{{L}}\b)",
        rf"(?<=\b\p{{L}}{_SIGN}\p{{L}}){_SIGN}{_NEXT_LETTER}",
        # Words of two letters, where a wider gap stands between spaced words: `đ ồ   n g u`.
        r"(?<=\b\p{L}) (?=\p{L} {2,}\p{L} )",
        rf"(?<= \p{{L}} {{3}}\p{{L}}) {_NEXT_LETTER}",
    ]
)
_RUN_MARK = "\u0001"


def build_normalizer() -> Sequence:
    """Compose, lower, mask links and mentions, join spaced letters, cut runs, trim.

    A letter three times or more in a row becomes one (`nguuu`), any other character two. Nothing here knows a language.
    """
    return Sequence(
        [
            NFKC(),
            Replace(Regex(r"[\p{Cf}\p{Cc}\x{FE0F}&&[^\s]]"), ""),
            Lowercase(),
            Replace(Regex(r"https?://\S+|www\.\S+"), "http"),
            Replace(Regex(r"@[\w.]+"), "@user"),
            Replace(Regex(_SPACED), ""),
            Replace(Regex(r"(\p{L})(?=\1\1)"), _RUN_MARK),
            Replace(Regex(_RUN_MARK + r"+\p{L}"), ""),
            Replace(Regex(r"(.)(?=\1\1)"), ""),
            Replace(Regex(r"\s+"), " "),
            Strip(),
        ]
    )
