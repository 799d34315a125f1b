"""All matching videos → a file, row by row: what is exported is noted, and never held in memory whole."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa

from core.access import Capability, Person
from core.storage.audit_log import Act, note
from core.storage.database import Database
from dashboard.data import search_sql
from dashboard.data.search import read_row
from dashboard.data.search_query import Query
from dashboard.data.search_rows import Row
from dashboard.data.table_file import Format, table_file

CHUNK_ROWS = 5_000
COLUMNS = tuple(field.name for field in fields(Row))

_TIME, _TEXT = pa.timestamp("us", tz="UTC"), pa.string()
_TYPES = {
    "event_time": _TIME,
    "decided_at": _TIME,
    "score": pa.float64(),
    "hashtags": pa.list_(_TEXT),
    "has_video": pa.bool_(),
}
SCHEMA = pa.schema([(name, _TYPES.get(name, _TEXT)) for name in COLUMNS])

Progress = Callable[[int, int], None]
"""Told of rows written and rows there are, after each chunk; what it raises ends the export."""


class Export:
    """Writes files for who may take data away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, person: Person, query: Query, path: Path, *, file_format: Format, progress: Progress) -> int:
        """Write every matching row, as they all were at one instant.

        Guarantee: when this returns, the audit log says who took what; when it raises, the file is worth nothing.

        Returns:
            How many rows.

        Raises:
            Forbidden: the person may not export.
            StoreUnavailable: the database went away meanwhile.
        """
        person.require(Capability.EXPORT)
        with self._database.transaction() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            if search_sql.has_words(query):
                connection.execute(search_sql.PREFER_THE_INDEX)
            total = (connection.execute(search_sql.count(query)).fetchone() or (0,))[0]
            written = 0
            with table_file(path, SCHEMA, file_format) as file:
                for rows in _chunks(connection, query):
                    file.add([[getattr(row, name) for name in COLUMNS] for row in rows])
                    written += len(rows)
                    progress(written, total)
            note(connection, person, Act.EXPORTED, "videos", query=_told(query), rows=written, format=file_format)
        return written


def _chunks(connection: psycopg.Connection, query: Query) -> Iterator[Sequence[Row]]:
    with connection.cursor(name="export") as cursor:
        cursor.execute(search_sql.everything(query))
        while chunk := cursor.fetchmany(CHUNK_ROWS):
            yield [read_row(values) for values in chunk]


def _told(query: Query) -> dict[str, Any]:
    """The query as the audit log keeps it: what is set, as text."""
    set_ = {name: getattr(query, name) for name in query.narrowed}
    return {name: list(value) if isinstance(value, tuple) else str(value) for name, value in set_.items()}
