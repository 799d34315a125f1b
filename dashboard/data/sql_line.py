"""The line to the database as the reporting role: a fresh one for each statement, read-only, rolled back, closed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from core.errors import ConfigError, StoreUnavailable
from core.errors_query import QueryStopped
from core.settings_reporting import ReportingSettings
from core.storage.database import CONNECT_TIMEOUT_S
from core.storage.migrate import readable
from core.storage.reporting import HOLES
from dashboard.data.sql_door import Admitted, Kind

ROW_BYTES = 1_000_000
FETCH_ROWS = 20
"""Rows are fetched in pieces of this many: what one piece can weigh is bounded, and so is this process's memory."""

_SETTING = "CLIPWARDEN_REPORTING__DSN"
_BEFORE = "SELECT r.* FROM (SELECT * FROM (\n"
# OFFSET 0: the planner must not compute a row twice, once for its size and once for itself.
_AFTER = "\n) AS q OFFSET 0) AS r WHERE reporting.fits(pg_column_size(r), %(limit_bytes)s)"

SHIFT = len(_BEFORE)
"""How far a cursor moves what is read, by which the server counts."""


@dataclass(frozen=True)
class Rows:
    """What a statement gave.

    Attributes:
        names: of the columns; may repeat.
        types: of the columns, as PostgreSQL names them.
        cut: why there are no more rows: `rows`, `bytes`, or empty when these are all.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: str = ""


class Line:
    """Opens connections as the reporting role.

    Raises:
        ConfigError: the DSN cannot be read.
    """

    def __init__(self, settings: ReportingSettings) -> None:
        self._settings = settings
        dsn = settings.dsn.get_secret_value()
        self._dsn = readable(dsn, _SETTING) if dsn else ""
        self.role = str(conninfo_to_dict(self._dsn).get("user", "")) if dsn else ""

    @contextmanager
    def open(self) -> Iterator[psycopg.Connection]:
        """A fresh connection inside a read-only transaction that is always rolled back.

        Raises:
            StoreUnavailable: the database does not answer.
            ConfigError: there is no such role, or it may do more than read.
        """
        connection = self._connect()
        try:
            self._check(connection)
            connection.execute(f"SET LOCAL statement_timeout = {round(self._settings.timeout_s * 1000)}")
            yield connection
        finally:
            # Closing ends the transaction: the server rolls back what a lost connection left.
            connection.close()

    def _connect(self) -> psycopg.Connection:
        if not self._dsn:
            raise ConfigError(f"{_SETTING} is not set: name a role there, then run python -m operations.prepare")
        try:
            connection = psycopg.connect(
                self._dsn,
                connect_timeout=CONNECT_TIMEOUT_S,
                application_name="clipwarden-sql-box",
                client_encoding="UTF8",
                # The door read the statement so.
                options="-c standard_conforming_strings=on -c default_transaction_read_only=on",
                tcp_user_timeout=10_000,
            )
        except psycopg.OperationalError as error:
            raise _unreached(error) from error
        connection.read_only = True
        return connection

    def _check(self, connection: psycopg.Connection) -> None:
        holes = [str(hole) for (hole,) in connection.execute(HOLES)]
        if holes:
            raise ConfigError(
                f"the role {self.role} is not fenced in ({'; '.join(holes)}): no statement is run; "
                "let a superuser own the database and run python -m operations.prepare"
            )

    def read(self, connection: psycopg.Connection, admitted: Admitted, is_stopped: Callable[[], bool]) -> Rows:
        """Run the statement, and read as much as may be read.

        Raises:
            QueryStopped: it was to be stopped meanwhile.
            psycopg.Error: as the server puts it.
        """
        if admitted.kind is Kind.TELLS:
            # Prepared: by the protocol that takes one statement and no more.
            cursor = connection.execute(admitted.text.encode(), prepare=True)
            return self._cut(cursor, [cursor.fetchall()], is_stopped)
        with connection.cursor(name="sql_box") as cursor:
            guarded = f"{_BEFORE}{admitted.text.replace('%', '%%')}{_AFTER}"
            cursor.execute(guarded.encode(), {"limit_bytes": ROW_BYTES})
            return self._cut(cursor, iter(lambda: cursor.fetchmany(FETCH_ROWS), []), is_stopped)

    def _cut(self, cursor: Any, pieces: Any, is_stopped: Callable[[], bool]) -> Rows:  # noqa: ANN401 - two kinds of cursor, one way to read
        names = tuple(column.name for column in cursor.description)
        types = tuple(column.type_display for column in cursor.description)
        rows: list[tuple[Any, ...]] = []
        left_bytes = self._settings.max_bytes
        for piece in pieces:
            if is_stopped():
                raise QueryStopped("stopped while its rows were read")
            for row in piece:
                left_bytes -= sum(len(str(cell)) for cell in row)
                if left_bytes < 0:
                    return Rows(names, types, tuple(rows), "bytes")
                if len(rows) == self._settings.max_rows:
                    return Rows(names, types, tuple(rows), "rows")
                rows.append(row)
        return Rows(names, types, tuple(rows))


def _unreached(error: psycopg.OperationalError) -> ConfigError | StoreUnavailable:
    reason = (str(error).strip().splitlines() or ["no answer"])[-1]
    if "authentication failed" in reason or "does not exist" in reason or "permission denied" in reason:
        return ConfigError(
            f"the database does not let the reporting role in ({reason}); run python -m operations.prepare"
        )
    return StoreUnavailable(reason)
