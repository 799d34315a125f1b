"""One's own SQL over the reporting schema: asked, checked, noted, run on a line of its own, and rolled back."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from core.access import Capability, Person
from core.errors import PlatformError, StoreUnavailable
from core.errors_query import QueryFailed, QueryRefused, QueryStopped
from core.settings_reporting import ReportingSettings
from core.storage.audit_log import Act, note
from core.storage.database import Database
from dashboard.data.sql_door import Admitted, Kind, admit, place
from dashboard.data.sql_line import SHIFT, Line, Rows
from dashboard.data.sql_watch import Watch, too_long
from dashboard.data.table_file import Format

SUBJECT = "reporting"
AT_ONCE = 4
"""Statements that one console runs at a time; the role's connection limit is twice that."""

_HISTORY = """
SELECT at, detail->>'statement', coalesce(detail->>'refused', '') FROM audit_log
WHERE user_id = %(user_id)s AND action = 'queried' ORDER BY at DESC, entry_id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Result:
    """What came of a statement.

    Attributes:
        elapsed_s: from the first connection to the last row.
        at: when it was asked for.
    """

    statement: str
    rows: Rows
    elapsed_s: float
    at: datetime


@dataclass(frozen=True)
class Asked:
    """A statement one ran before.

    Attributes:
        refused: why it was not run; empty when it was.
    """

    at: datetime
    statement: str
    refused: str


class SqlBox:
    """Runs statements of people who may query. Safe to share between threads."""

    def __init__(self, settings: ReportingSettings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._line = Line(settings)
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def run(self, person: Person, statement: str, stop: threading.Event | None = None) -> Result:
        """What one statement returns, cut at the limits of the settings.

        Args:
            person: the audit log names them, with the text, also when it is refused.
            statement: one SELECT, WITH, EXPLAIN or SHOW.
            stop: set it to cancel.

        Raises:
            Forbidden: the person may not query.
            QueryRefused: it is no plain read of the reporting schema, or too many run already; it was not run.
            QueryFailed: the database does not take it.
            QueryStopped: it took too long or too much, or was cancelled.
            StoreUnavailable: the database does not answer.
            ConfigError: there is no reporting role, or it is not fenced in.
        """
        person.require(Capability.QUERY)
        admitted = self._admit(person, statement)
        if not self._places.acquire(blocking=False):
            raise QueryRefused("{n} statements are running already; wait for one of them", n=AT_ONCE)
        try:
            started_s, at = time.monotonic(), datetime.now(UTC)
            rows = self._read(admitted, statement, stop or threading.Event())
            return Result(statement, rows, time.monotonic() - started_s, at)
        finally:
            self._places.release()

    def history(self, person: Person, limit: int) -> list[Asked]:
        """The person's own statements, newest first.

        Raises:
            Forbidden: the person may not query.
            StoreUnavailable: the database does not answer.
        """
        person.require(Capability.QUERY)
        with self._database.connection() as connection:
            rows = connection.execute(_HISTORY, {"user_id": person.user_id, "limit": limit}).fetchall()
        return [Asked(*row) for row in rows]

    def note_export(self, person: Person, result: Result, form: Format) -> None:
        """Write down who takes this result away, before they do.

        Raises:
            Forbidden: the person may not export.
            StoreUnavailable: the database does not answer; then nothing may be taken away.
        """
        person.require(Capability.EXPORT)
        rows = len(result.rows.rows)
        with self._database.transaction() as connection:
            note(connection, person, Act.EXPORTED, SUBJECT, statement=result.statement, rows=rows, format=form)

    def _admit(self, person: Person, statement: str) -> Admitted:
        """Before it is run: what a killed console ran is in the log too."""
        try:
            admitted = admit(statement)
        except QueryRefused as error:
            self._note(person, statement, refused=error.message)
            raise
        self._note(person, statement)
        return admitted

    def _note(self, person: Person, statement: str, **detail: str) -> None:
        # What jsonb cannot hold was refused for it; the log shows its place.
        text = statement[: 2 * 20_000].replace("\x00", "\u2400").encode("utf-8", "replace").decode()
        with self._database.transaction() as connection:
            note(connection, person, Act.QUERIED, SUBJECT, statement=text, **detail)

    def _read(self, admitted: Admitted, statement: str, stop: threading.Event) -> Rows:
        watch = Watch(self._settings, self._database, stop)
        try:
            with self._line.open() as connection, watch.over(connection):
                return self._line.read(connection, admitted, watch.is_stopped)
        except (psycopg.Error, QueryStopped) as error:
            raise self._told(error, watch, admitted=admitted, statement=statement) from error

    def _told(self, error: Exception, watch: Watch, *, admitted: Admitted, statement: str) -> PlatformError:
        if watch.ended:
            return watch.ended
        if isinstance(error, psycopg.errors.QueryCanceled):
            return too_long(self._settings)
        if isinstance(error, psycopg.Error) and error.diag.message_primary:
            return _failed(error, admitted, statement)
        if isinstance(error, psycopg.DataError):
            return QueryFailed("{said}; cast it to text", said=str(error).strip())
        return StoreUnavailable("the connection broke while the statement ran; nothing was changed")


def _failed(error: psycopg.Error, admitted: Admitted, statement: str) -> QueryFailed:
    """The server's own words, and where in the text they belong."""
    said, position = {"said": error.diag.message_primary, "hint": _hint(error)}, int(error.diag.statement_position or 0)
    if not position:
        return QueryFailed("{said}{hint}", **said)
    shift = SHIFT + len('DECLARE "sql_box" CURSOR FOR ') if admitted.kind is Kind.READS else 0
    where = place(admitted.start + position - 1 - shift, statement)
    return QueryFailed("{said} at line {line}, column {column}{hint}", **said, **where)


def _hint(error: psycopg.Error) -> str:
    return f" ({error.diag.message_hint})" if error.diag.message_hint else ""
