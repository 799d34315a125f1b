"""Labelled files → the sets to be scored: one split pooled over its sources, and each test suite by itself."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import ConfigError
from models.evaluation.bootstrap import Resampling, units_of
from models.evaluation.slices import Slicing, length_buckets
from models.training.tables import read_table, table_names, table_path

SUITES = frozenset({"en_hatecheck", "vi_seahatecheck"})
"""Functional test suites: made-up sentences, each testing one thing. Their mix is no traffic, so they stand apart."""
LEFT_OUT = frozenset({"vi_vispam_reviews", "en_youtube_spam_psy", "vi_vihos_spans", "vi_vithsd_second_labels"})
"""Spam is another question; the other two label texts again that a default source already holds."""

_TEXT_COLUMNS = ("text", "label", "category", "lang", "split")
_CLIP_COLUMNS = ("file", "label", "split", "source", "group")
_CHARACTERS = (20.0, 50.0, 100.0, 200.0)
_SECONDS = (2.0, 3.0, 5.0)


@dataclass(frozen=True)
class Rows:
    """Labelled rows of one set.

    Attributes:
        table: columns label, source, and `text` or `file` as `shown` says; whatever else the files had.
    """

    name: str
    table: pd.DataFrame
    shown: str
    slicing: Slicing
    resampling: Resampling

    def __len__(self) -> int:
        """How many rows."""
        return len(self.table)

    @property
    def truth(self) -> NDArray[np.bool_]:
        """(N,) whether each row is harmful."""
        return (self.table["label"] == "harmful").to_numpy(dtype=bool)

    @property
    def sha256(self) -> str:
        """Of texts or file names with their labels, in any order."""
        lines = sorted(
            f"{label} {shown!r}" for label, shown in zip(self.table["label"], self.table[self.shown], strict=True)
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_caption_sets(folder: Path, split: str, sources: Sequence[str] = ()) -> tuple[Rows, ...]:
    """The split's captions pooled over `sources` (default: all but LEFT_OUT), then each suite that has the split.

    Raises:
        ConfigError: a file or column is missing, a row has no label or text, or the split has no rows.
    """
    names = tuple(sources) or _source_names(folder / "text")
    table = pd.concat([_read_source(table_path(folder / "text", name)) for name in names], ignore_index=True)
    part = _of_split(table, split, folder / "text")
    is_suite = part["source"].isin(SUITES)
    sets = [(split, part[~is_suite])] + [(str(name), rows) for name, rows in part[is_suite].groupby("source")]
    return tuple(_caption_set(name, rows.reset_index(drop=True)) for name, rows in sets if len(rows))


def read_clip_set(folder: Path, split: str) -> Rows:
    """The split's clips; clips of one group (a camera or source video) are one unit.

    Raises:
        ConfigError: as for captions.
    """
    path = table_path(folder / "video", "manifest")
    table = read_table(path)
    _check(table, path, _CLIP_COLUMNS)
    rows = _of_split(table, split, path)
    slicing = {"source": _strings(rows, "source")}
    if "category" in rows:
        slicing["category"] = _strings(rows, "category")
    if "seconds" in rows:
        slicing["length"] = length_buckets(rows["seconds"].to_numpy(np.float64), _SECONDS, "s")
    return Rows(split, rows, "file", slicing, Resampling(units_of(rows["group"].tolist())))


def _source_names(folder: Path) -> tuple[str, ...]:
    names = tuple(name for name in table_names(folder) if name not in LEFT_OUT)
    if not names:
        raise ConfigError(f"{folder} holds no captions; --data names a folder with tables in text/")
    return names


def _read_source(path: Path) -> pd.DataFrame:
    table = read_table(path)
    _check(table, path, _TEXT_COLUMNS)
    return table[list(_TEXT_COLUMNS)].assign(source=path.stem)


def _check(table: pd.DataFrame, path: Path, columns: tuple[str, ...]) -> None:
    absent = [name for name in columns if name not in table.columns]
    if absent:
        raise ConfigError(f"{path} has no column {', '.join(absent)}; it needs {', '.join(columns)}")
    unlabelled = int((~table["label"].isin(["safe", "harmful"])).sum())
    if unlabelled:
        raise ConfigError(f"{path} has {unlabelled} rows whose label is neither safe nor harmful; label them")
    if table[columns[0]].isna().any():
        raise ConfigError(f"{path} has {int(table[columns[0]].isna().sum())} rows without {columns[0]}; remove them")


def _of_split(table: pd.DataFrame, split: str, where: Path) -> pd.DataFrame:
    part = table[table["split"] == split].reset_index(drop=True)
    if part.empty:
        there = ", ".join(sorted({str(name) for name in table["split"]})) or "none"
        raise ConfigError(f"{where} has no rows of split {split!r}; it has {there}")
    return part


def _caption_set(name: str, rows: pd.DataFrame) -> Rows:
    category = _strings(rows, "category")
    if name in SUITES:
        slicing = {"function": category}
    else:
        characters = np.array([len(text) for text in rows["text"]], dtype=np.float64)
        lengths = length_buckets(characters, _CHARACTERS, "characters")
        language, source = _strings(rows, "lang"), _strings(rows, "source")
        slicing = {"language": language, "source": source, "length": lengths, "category": category}
    return Rows(name, rows, "text", slicing, Resampling())


def _strings(rows: pd.DataFrame, column: str) -> NDArray[np.str_]:
    names = rows[column].fillna("").astype(str).to_numpy(dtype=str)
    return np.where(names == "", "none", names)
