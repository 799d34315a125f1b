"""Rows of a statement → a table that any browser, CSV or Parquet reader takes, whatever stands in the cells. Pure."""

import io
import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pandas as pd

from dashboard.data.sql_line import Rows
from dashboard.data.table_file import Format, cell

_INT64 = 2**63


def table(rows: Rows) -> pd.DataFrame:
    """One column per column; names that repeat get a number."""
    names = _distinct(rows.names)
    return pd.DataFrame({name: _column([row[place] for row in rows.rows]) for place, name in enumerate(names)})


def export(rows: Rows, form: Format) -> bytes:
    """The table as a file; in CSV, text that a spreadsheet would run as a formula begins with an apostrophe."""
    found = table(rows)
    if form is Format.PARQUET:
        buffer = io.BytesIO()
        found.to_parquet(buffer, index=False)
        return buffer.getvalue()
    for name in found.columns[[isinstance(kind, pd.StringDtype) for kind in found.dtypes]]:
        found[name] = found[name].map(cell, na_action="ignore")
    text: str = found.rename(columns=cell).to_csv(index=False)
    # With a mark: spreadsheets read the accents right.
    return text.encode("utf-8-sig")


def _distinct(names: Sequence[str]) -> list[str]:
    taken: dict[str, None] = {}
    for name in names:
        number, free = 1, name or "column"
        while free in taken:
            number += 1
            free = f"{name or 'column'}_{number}"
        taken[free] = None
    return list(taken)


def _column(cells: Sequence[Any]) -> pd.Series:
    known = [cell for cell in cells if cell is not None]
    if known and all(isinstance(cell, bool) for cell in known):
        return pd.Series(cells, dtype="boolean")
    if known and all(_is_small_integer(cell) for cell in known):
        return pd.Series(cells, dtype="Int64")
    if known and all(_is_number(cell) for cell in known):
        return pd.Series([None if cell is None else float(cell) for cell in cells], dtype="Float64")
    if known and all(isinstance(cell, datetime) and cell.tzinfo is not None for cell in known):
        return pd.Series(pd.to_datetime(list(cells), utc=True))
    return pd.Series([None if cell is None else _text(cell) for cell in cells], dtype="string")


def _is_small_integer(cell: object) -> bool:
    return isinstance(cell, int) and not isinstance(cell, bool) and -_INT64 <= cell < _INT64


def _is_number(cell: object) -> bool:
    if isinstance(cell, Decimal):
        # More digits than a float holds stay text, to the last one.
        return cell.is_finite() and len(cell.as_tuple().digits) <= 15  # noqa: PLR2004 - of a double
    return isinstance(cell, float) or _is_small_integer(cell)


def _text(cell: object) -> str:
    if isinstance(cell, dict | list):
        return json.dumps(cell, ensure_ascii=False, default=str)
    return f"\\x{cell.hex()}" if isinstance(cell, bytes) else str(cell)
