"""Labelled files → arrays, by split: what a row supervises, and what it leaves open."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.training.config import BALANCED_SOURCES, TextTraining
from models.training.leaks import duplicate_key, without_copies
from models.training.tables import read_labelled, refuse_one_class, table_path

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
KIND_OF_CATEGORY = {"hate": "hate", "offensive": "harassment"}
TEXT_LABELS = ("harmful", "hate", "harassment")
CLOSED_SOURCES = frozenset({"vi_vihsd", "vi_vithsd", "vi_safesense", "en_multihateclip", "en_davidson"})
"""Sources whose authors chose between hate and offensive: one of them means not the other."""
_HALF = 0.5


@dataclass(frozen=True)
class Captions:
    """Labelled captions.

    Attributes:
        table: columns text, lang, source, split.
        targets: (N, 3) float in 0..1, columns TEXT_LABELS; a kind is NaN where the row does not say, so it supervises
            nothing.
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
        """(N,) whether each caption is harmful; where labels differ, whether most of their weight says so."""
        harmful: NDArray[np.bool_] = self.targets[:, 0] > _HALF
        return harmful


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


def with_second_labels(train: Captions, config: TextTraining) -> Captions:
    """Where other people labelled a training caption too, its target becomes the mean of both, theirs by weight.

    Sources that the folder does not have are passed over. Nothing of another split is read.
    """
    parts = [_read_source(path) for path in _there(config.data, config.second_sources)]
    if not parts:
        return train
    second = pd.concat(parts, ignore_index=True)
    second = second[second["split"] == "train"].drop_duplicates("text").set_index("text")
    said = train.table["text"].map(second["label"] == "harmful").to_numpy(dtype=float)
    targets = train.targets.copy()
    is_known, weight = ~np.isnan(said), config.second_weight
    targets[is_known, 0] = (1 - weight) * targets[is_known, 0] + weight * said[is_known]
    return Captions(train.table, targets)


def with_harmless(train: Captions, config: TextTraining, *, measured: Iterable[Captions]) -> Captions:
    """Also some captions that another task called safe: they talk of what people buy and watch, and hurt nobody.

    Copies of captions that the model is measured on are left out.
    """
    parts = [_read_source(path) for path in _there(config.data, config.harmless_sources)]
    parts = [part.query("split == 'train' and label == 'safe'") for part in parts]
    most, random_state = config.harmless_rows, config.random_state
    drawn = [part.sample(min(most, len(part)), random_state=random_state) for part in parts]
    if not drawn:
        return train
    table = pd.concat(drawn, ignore_index=True)
    taken = {duplicate_key(text) for captions in measured for text in captions.table["text"]}
    table = table[~table["text"].map(duplicate_key).isin(taken)][["text", "lang", "source", "split"]]
    return Captions(
        pd.concat([train.table, table], ignore_index=True),
        np.concatenate([train.targets, _targets(table.assign(label="safe", category=""))]),
    )


def _there(folder: Path, sources: tuple[str, ...]) -> list[Path]:
    return [path for name in sources if (path := table_path(folder / "text", name)).is_file()]


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
