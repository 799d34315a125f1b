"""Labelled files → arrays, by split: what a row supervises, and what it leaves open."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.training.config import BALANCED_SOURCES
from models.training.leaks import without_copies
from models.training.tables import read_labelled, refuse_one_class, table_path

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
KIND_OF_CATEGORY = {"hate": "hate", "offensive": "harassment"}
TEXT_LABELS = ("harmful", "hate", "harassment")
CLOSED_SOURCES = frozenset({"vi_vihsd", "vi_vithsd", "vi_safesense", "en_multihateclip", "en_davidson"})
"""Sources whose authors chose between hate and offensive: one of them means not the other."""


@dataclass(frozen=True)
class Captions:
    """Labelled captions.

    Attributes:
        table: columns text, lang, source, split.
        targets: (N, 3) float, columns TEXT_LABELS; a kind is NaN where the row does not say, so it supervises nothing.
    """

    table: pd.DataFrame
    targets: NDArray[np.float32]

    def __len__(self) -> int:
        """How many captions."""
        return len(self.table)

    def where(self, mask: NDArray[np.bool_]) -> "Captions":
        """The rows where the mask is true."""
        return Captions(self.table[mask].reset_index(drop=True), self.targets[mask])

    @property
    def harmful(self) -> NDArray[np.bool_]:
        """(N,) whether each caption is harmful."""
        return self.targets[:, 0] > 0


def load_captions(folder: Path, split: Split, *, sources: tuple[str, ...], random_state: int) -> Captions:
    """Read one split of the sources; in train and validation, keyword-sampled sources are balanced.

    Raises:
        ConfigError: a file, a column, a text or a label is missing; the split is, or has one label only; or captions of
            train stand in another split too.
    """
    table = pd.concat([_read_source(table_path(folder / "text", name)) for name in sources], ignore_index=True)
    if split == "train":
        table = without_copies(table, folder / "text")
    refuse_one_class(table, split, folder / "text")
    table = table[table["split"] == split].reset_index(drop=True)
    if split != "test":
        table = _balanced(table, random_state)
    return Captions(table[["text", "lang", "source", "split"]], _targets(table))


def _read_source(path: Path) -> pd.DataFrame:
    columns = ("text", "label", "category", "lang", "split")
    return read_labelled(path, columns, filled=("text",)).assign(source=path.stem)


def _balanced(table: pd.DataFrame, random_state: int) -> pd.DataFrame:
    kept = []
    for name, rows in table.groupby("source", sort=False):
        harmful = rows[rows["label"] == "harmful"]
        safe = rows[rows["label"] == "safe"]
        if name in BALANCED_SOURCES and len(harmful) > len(safe):
            harmful = harmful.sample(len(safe), random_state=random_state)
        kept.append(pd.concat([harmful, safe]))
    return pd.concat(kept, ignore_index=True)


def _targets(table: pd.DataFrame) -> NDArray[np.float32]:
    targets = np.full((len(table), len(TEXT_LABELS)), np.nan, dtype=np.float32)
    harmful = (table["label"] == "harmful").to_numpy()
    targets[:, 0] = harmful
    is_closed = table["source"].isin(CLOSED_SOURCES).to_numpy()
    for category, kind in KIND_OF_CATEGORY.items():
        column = TEXT_LABELS.index(kind)
        has_kind = harmful & (table["category"] == category).to_numpy()
        has_other = harmful & is_closed & table["category"].isin(set(KIND_OF_CATEGORY) - {category}).to_numpy()
        targets[has_kind, column] = 1
        targets[has_other, column] = 0
    return targets
