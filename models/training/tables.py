"""Labelled tables, Parquet or CSV → rows with every column and label that training needs, or one line why not."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from core.errors import ConfigError

LABELS = ("safe", "harmful")
SUFFIXES = (".csv", ".parquet")


def table_path(folder: Path, name: str) -> Path:
    """`NAME.csv` or `NAME.parquet`, whichever is there."""
    found = (path for suffix in SUFFIXES if (path := folder / f"{name}{suffix}").is_file())
    return next(found, folder / f"{name}{SUFFIXES[0]}")


def table_names(folder: Path) -> tuple[str, ...]:
    """Names of the tables in a folder."""
    return tuple(sorted({path.stem for path in folder.glob("*") if path.suffix in SUFFIXES}))


def read_table(path: Path) -> pd.DataFrame:
    """A table with all its columns; in a CSV file every empty cell is an empty text.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return pd.read_csv(path, keep_default_na=False) if path.suffix == ".csv" else pd.read_parquet(path)
    except (OSError, ValueError) as error:
        why = " ".join(str(error).split())[:200]
        raise ConfigError(f"{path} cannot be read ({why}); it must be a Parquet or CSV file") from error


def read_labelled(path: Path, columns: Sequence[str], *, filled: Sequence[str], rows: str = "rows") -> pd.DataFrame:
    """The columns of a table of labelled rows.

    Args:
        path: the file.
        columns: what is read, `label` among them.
        filled: those of them that no row may leave empty.
        rows: what a row is called in a refusal.

    Raises:
        ConfigError: the file cannot be read, lacks a column, or has a row without a label or without what is `filled`.
    """
    table = read_table(path)
    absent = [name for name in columns if name not in table.columns]
    if absent:
        raise ConfigError(f"{path} has no column {', '.join(absent)}; it needs {', '.join(columns)}")
    unlabelled = int((~table["label"].isin(LABELS)).sum())
    if unlabelled:
        raise ConfigError(f"{path} has {unlabelled} {rows} whose label is neither safe nor harmful; label them")
    for name in filled:
        empty = int((table[name].isna() | (table[name].astype(str).str.strip() == "")).sum())
        if empty:
            raise ConfigError(f"{path} has {empty} {rows} without {name}; fill it in, or remove them")
    return table[list(columns)].assign(**{name: table[name].astype(str) for name in filled})


def refuse_one_class(table: pd.DataFrame, split: str, where: Path) -> None:
    """See that a split is there and holds both answers.

    Raises:
        ConfigError: it does not.
    """
    part = table[table["split"] == split]
    if part.empty:
        there = ", ".join(sorted({str(name) for name in table["split"]})) or "none"
        raise ConfigError(f"{where} has no rows of split {split!r}, it has {there}; training needs all three")
    if (part["label"] == part["label"].iloc[0]).all():
        raise ConfigError(f"all {len(part)} {split} rows of {where} are {part['label'].iloc[0]}; it needs both labels")
