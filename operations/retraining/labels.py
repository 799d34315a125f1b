"""What people decided → text rows, and a training folder that has them beside the user's own data."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from core.errors import ConfigError
from models.training.data import KIND_OF_CATEGORY
from models.training.leaks import duplicate_key
from models.training.tables import SUFFIXES, read_table, table_names, table_path
from models.training.train import REVIEWS
from operations.retraining.session import Decision

COLUMNS = ("text", "label", "category", "lang", "split")
SPLITS = ("train", "validation", "test")
"""Never `gate`: candidates and champion must have been measured on the same rows."""
WORDS = {"confirm": "harmful", "harmful": "harmful", "reject": "safe", "safe": "safe"}
"""A decision → a label; any other word, as of somebody not sure, teaches nothing."""
_CATEGORIES = {kind: category for category, kind in KIND_OF_CATEGORY.items()}


def rows_of(decisions: Iterable[Decision]) -> pd.DataFrame:
    """Decisions that say something about their caption; columns COLUMNS and `decided_at`.

    A safe video has a safe caption. A harmful one has a harmful caption where a kind of harm was named that captions
    do, or where there was nothing but the caption: else the clip may have been the reason.
    """
    rows = [row for decision in decisions if (row := _row(decision)) is not None]
    table = pd.DataFrame(rows, columns=["text", "label", "category", "lang", "decided_at"])
    return _on_sides(table)


def read_labels(path: Path) -> pd.DataFrame:
    """A file of labelled captions, CSV or Parquet: columns text, label, lang; category and split where there are any.

    Raises:
        ConfigError: it cannot be read, lacks a column, or has a row that is not labelled.
    """
    table = _read(path)
    absent = [name for name in ("text", "label", "lang") if name not in table.columns]
    if absent:
        raise ConfigError(f"{path} has no column {', '.join(absent)}; it needs text, label and lang")
    unlabelled = int((~table["label"].isin(["safe", "harmful"]) | table["text"].isna()).sum())
    if unlabelled:
        raise ConfigError(f"{path} has {unlabelled} rows without a text or a label safe or harmful; label them")
    if "split" not in table.columns:
        return _on_sides(table)
    if not table["split"].isin(SPLITS).all():
        raise ConfigError(f"{path} has splits other than {', '.join(SPLITS)}; correct them, or leave the column out")
    return _whole(table)


def split_of(text: str) -> str:
    """Eight of ten texts train, one validates, one tests; by a hash, so that a text stays on its side for ever."""
    tenth = int.from_bytes(hashlib.sha256(_plain(text).encode()).digest()[:8], "big") % 10
    return {8: "validation", 9: "test"}.get(tenth, "train")


def training_folder(data: Path, reviews: pd.DataFrame, out: Path) -> Path:
    """Make `out` a folder of links to everything in `data`, with the reviews as one more source of captions.

    A review whose text is in the data outside its train split is left out: it would train on what measures it.

    Raises:
        ConfigError: the data cannot be read.
    """
    if not data.is_dir():
        raise ConfigError(f"{data} is no folder; name one with tables of captions in text/, and video/manifest.csv")
    (out / "text").mkdir(parents=True)
    for path in data.iterdir():
        if path.name != "text":
            (out / path.name).symlink_to(path.resolve())
    sources = [table_path(data / "text", name) for name in table_names(data / "text") if name != REVIEWS]
    for path in sources:
        (out / "text" / path.name).symlink_to(path.resolve())
    rows = reviews[~reviews["text"].map(_plain).isin(_measuring(sources))] if len(reviews) else reviews
    if len(rows):
        rows[list(COLUMNS)].to_parquet(out / "text" / f"{REVIEWS}.parquet", index=False)
    return out


def _row(decision: Decision) -> dict[str, object] | None:
    label = WORDS.get(decision.decision)
    kinds = [_CATEGORIES[kind] for kind in decision.labels if kind in _CATEGORIES]
    if label is None or not (decision.caption or "").strip():
        return None
    if label == "harmful" and not kinds and (decision.has_clip or decision.labels):
        return None
    category = kinds[0] if label == "harmful" and kinds else ""
    return {
        "text": decision.caption,
        "label": label,
        "category": category,
        "lang": decision.language or "",
        "decided_at": decision.decided_at,
    }


def _on_sides(table: pd.DataFrame) -> pd.DataFrame:
    """One row a text, the last one said; each on its side."""
    last = table[~table["text"].map(_plain).duplicated(keep="last")]
    return _whole(last.assign(split=last["text"].map(split_of)))


def _whole(table: pd.DataFrame) -> pd.DataFrame:
    categories = table["category"].fillna("") if "category" in table.columns else ""
    return table.assign(category=categories, lang=table["lang"].fillna("")).reset_index(drop=True)


def _plain(text: str) -> str:
    """What near-copies of a text have in common, as training asks of splits; of signs alone the text itself."""
    return duplicate_key(str(text)) or " ".join(str(text).split())


def _measuring(sources: Iterable[Path]) -> set[str]:
    found: set[str] = set()
    for path in sources:
        table = read_table(path)
        if absent := {"text", "split"} - set(table.columns):
            raise ConfigError(f"{path} cannot be read (it has no column {', '.join(sorted(absent))})")
        found |= set(table.loc[table["split"] != "train", "text"].map(_plain))
    return found


def _read(path: Path) -> pd.DataFrame:
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"{path}: name a .csv or .parquet file")
    return read_table(path)
