"""Splits that share what they should not: refused, because every figure of such a training would be too good."""

import hashlib
import re
import unicodedata
from pathlib import Path

import pandas as pd
import structlog

from core.errors import ConfigError

MOST_BY_CHANCE = 1 / 1_000
"""Share of rows that may repeat another split's, as people do who write `hi`; more of them are a mistake.

Of the 101,393 captions of the default sources, 27 keys stand in two splits, nearly all of less than nine characters
(2026-11-23).
"""
_MARKS = re.compile(r"@[\w.]+|https?://\S+|www\.\S+")
_NO_LETTERS = re.compile(r"[\W_]+")
_REPEATED = re.compile(r"(.)\1+")
_log = structlog.get_logger()


def duplicate_key(text: str) -> str:
    """What near-copies of a caption have in common.

    Lower case without accents, mentions, links and signs, each run of a character cut to one; empty where nothing is
    left.
    """
    letters = unicodedata.normalize("NFKD", _MARKS.sub(" ", text.lower()).replace("đ", "d"))
    if not letters.isascii():
        letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _REPEATED.sub(r"\1", _NO_LETTERS.sub("", letters))


def without_copies(table: pd.DataFrame, where: Path) -> pd.DataFrame:
    """Captions of all splits, without train rows that another split repeats.

    Args:
        table: columns text, source, split.
        where: the folder, for the refusal.

    Raises:
        ConfigError: more rows repeat another split's than chance would.
    """
    keys = table["text"].map(duplicate_key)
    is_shared = (keys != "") & keys.isin(_in_two_splits(keys, table["split"]))
    if not is_shared.any():
        return table
    shared, is_copy = keys[is_shared].nunique(), is_shared & (table["split"] == "train")
    if shared > MOST_BY_CHANCE * len(table):
        places = _places(table, keys == keys[is_shared].iloc[0])
        mark = hashlib.sha256(keys[is_shared].iloc[0].encode()).hexdigest()[:8]
        raise ConfigError(
            f"{shared} captions of {where} stand in two splits, but for accents, case and signs; "
            f"keep each in one, e.g. {mark}: {places}"
        )
    _log.info("training.copies_left_out", captions=shared, train_rows=int(is_copy.sum()))
    return table[~is_copy].reset_index(drop=True)


def refuse_shared(table: pd.DataFrame, column: str, where: Path) -> None:
    """See that no value of a column stands in two splits.

    Raises:
        ConfigError: one does.
    """
    shared = _in_two_splits(table[column], table["split"])
    if len(shared):
        splits = sorted(set(table.loc[table[column] == shared[0], "split"]))
        raise ConfigError(
            f"{len(shared)} values of {column} in {where} stand in two splits; keep each in one, "
            f"e.g. {shared[0]} is in {' and '.join(splits)}"
        )


def _in_two_splits(values: pd.Series, splits: pd.Series) -> list[str]:
    counts = splits.groupby(values).nunique()
    return [str(value) for value in counts.index[counts > 1]]


def _places(table: pd.DataFrame, is_it: pd.Series) -> str:
    """`SOURCE row 3 (train)` of the first row in each split, counted from 0: where to look, and not what it says."""
    rows = table.assign(row=table.groupby("source").cumcount())[is_it].drop_duplicates("split")
    return " and ".join(f"{row.source} row {row.row} ({row.split})" for row in rows.itertuples())
