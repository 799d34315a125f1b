"""Ends a statement from outside: at its deadline, when its server process grows too large, or when its author cancels.

The statement cannot switch this off: it happens on other connections. First the server is asked to cancel the
statement, then to end its process; if neither is heeded, the line is cut, and its own timeout ends the rest.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from core.errors import StoreUnavailable
from core.errors_query import QueryStopped
from core.settings_reporting import ReportingSettings
from core.storage.database import Database

POLL_S = 0.05
GRACE_S = 2.0
_PAGE_BYTES = 4096

# What its process holds and shares with none, as Linux tells; only a superuser may ask.
_MEMORY = "SELECT split_part(told, ' ', 2)::bigint - split_part(told, ' ', 3)::bigint FROM pg_read_file(%s) AS told"
_END = "SELECT pg_terminate_backend(%s)"


class Watch:
    """One statement's watch.

    Attributes:
        ended: why it was ended; None while it was not.
    """

    def __init__(self, settings: ReportingSettings, database: Database, stop: threading.Event) -> None:
        self._settings = settings
        self._database = database
        self._stop = stop
        self._over = threading.Event()
        self._can_see_memory = True
        self.ended: QueryStopped | None = None

    @contextmanager
    def over(self, connection: psycopg.Connection) -> Iterator[None]:
        """Watch this connection's statement."""
        thread = threading.Thread(target=self._watch, args=(connection,), name="sql-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def is_stopped(self) -> bool:
        """Whether it is to end."""
        return self.ended is not None

    def _watch(self, connection: psycopg.Connection) -> None:
        pid = connection.info.backend_pid
        deadline_s = time.monotonic() + self._settings.timeout_s
        while not self._over.wait(POLL_S):
            self.ended = self._reason(pid, deadline_s)
            if self.ended:
                self._end(connection, pid)
                return

    def _reason(self, pid: int, deadline_s: float) -> QueryStopped | None:
        if self._stop.is_set():
            return QueryStopped("cancelled by you")
        if time.monotonic() > deadline_s:
            return too_long(self._settings)
        if self._memory_bytes(pid) > self._settings.max_memory_bytes:
            most_mb = self._settings.max_memory_bytes / 1e6
            return QueryStopped("stopped: it took over {mb:.0f} MB of the server's memory", mb=most_mb)
        return None

    def _memory_bytes(self, pid: int) -> int:
        if not self._can_see_memory:
            return 0
        try:
            with self._database.connection() as connection:
                row = connection.execute(_MEMORY, (f"/proc/{pid}/statm",)).fetchone()
        except StoreUnavailable:
            return 0
        except psycopg.Error:
            # No superuser, or no Linux: the timeout and the server's own limits remain.
            self._can_see_memory = False
            return 0
        return int(row[0]) * _PAGE_BYTES if row else 0

    def _end(self, connection: psycopg.Connection, pid: int) -> None:
        with suppress(psycopg.Error):
            connection.cancel_safe(timeout=GRACE_S)
        if self._over.wait(GRACE_S):
            return
        with suppress(psycopg.Error, StoreUnavailable), self._database.connection() as owner:
            owner.execute(_END, (pid,))
        if self._over.wait(GRACE_S):
            return
        _cut(connection)


def too_long(settings: ReportingSettings) -> QueryStopped:
    """What is said of a statement that ran into its deadline, whoever ended it."""
    return QueryStopped("stopped after {s:g} s: narrow it down, e.g. by event_time", s=settings.timeout_s)


def _cut(connection: psycopg.Connection) -> None:
    """Break the line under the thread that waits on it, which closes it itself."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
