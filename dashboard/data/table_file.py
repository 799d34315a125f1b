"""Rows → a CSV or Parquet file, chunk by chunk and never in memory whole; no spreadsheet runs what stands in it."""

import csv
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, Self

import pyarrow as pa
import pyarrow.parquet as pq

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a formula, and runs it."""
GUARD = "'"


class Format(StrEnum):
    """How a file is written; also its suffix."""

    CSV = "csv"
    PARQUET = "parquet"


class TableFile(Protocol):
    """A file that rows are added to; each has its cells in the order of the schema."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write these rows too."""


def table_file(path: Path, schema: pa.Schema, file_format: Format) -> TableFile:
    """A new file at this path."""
    return _FILES[file_format](path, schema)


def cell(value: object) -> str:
    """A value as a cell of a CSV file: text that a spreadsheet would run gets a GUARD before it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return GUARD + value if value.startswith(FORMULA) else value
        case list() | tuple():
            return cell(" ".join(map(str, value)))
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)


class _Csv:
    """With a byte order mark, without which spreadsheets misread Vietnamese; instants in ISO 8601."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._csv = csv.writer(self._file)
        self._csv.writerow(schema.names)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        self._csv.writerows([cell(value) for value in row] for row in rows)


class _Parquet:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._file = pq.ParquetWriter(path, schema, compression="zstd")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        columns = dict(zip(self._schema.names, zip(*rows, strict=True), strict=True))
        self._file.write_table(pa.table(columns, schema=self._schema))


_FILES: dict[Format, Callable[[Path, pa.Schema], TableFile]] = {Format.CSV: _Csv, Format.PARQUET: _Parquet}
