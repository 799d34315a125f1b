"""Brings a database to this version's schema: plain PostgreSQL, or TimescaleDB where the server has it.

`NNNN_name.sql` is for every database, `NNNN_name.plain.sql` for one without TimescaleDB, `NNNN_name.timescale.sql`
for one with it. Which of the two a database is, its first migration settles. The statements of a `.timescale.sql` run
one by one outside a transaction (continuous aggregates demand it), so each must stand being run again; every other
file is one transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable

import psycopg
import structlog
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from core.errors import ConfigError, StoreUnavailable
from core.storage.periods import chosen, keep_chunks
from core.storage.reporting import fence

LOCK = 0x636C6970
"""The advisory lock under which one process migrates at a time."""

_log = structlog.get_logger()


def migrate(dsn: str, *, retention_days: int = 90, reporting_dsn: str = "") -> list[str]:
    """Apply what is missing, in order; safe to call from several processes at once.

    Args:
        dsn: of a role that owns the database.
        reporting_dsn: of the role that the SQL box signs in as, to be made and fenced in; empty: there is none.
        retention_days: how long TimescaleDB keeps the chunks of its hypertables, unless people chose otherwise.

    Returns:
        The names of the migrations applied now, none when the schema was up to date.

    Raises:
        StoreUnavailable: the database does not answer.
        ConfigError: the DSN cannot be read, or the database refuses a migration.
    """
    with _connect(dsn) as connection, _alone(connection):
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, applied_at timestamptz)"
        )
        done = {str(name) for (name,) in connection.execute("SELECT name FROM schema_migrations")}
        flavour = _flavour(connection, done)
        missing = [file for file in _migrations(flavour) if file.name not in done]
        for file in missing:
            _apply(connection, file)
        if flavour == "timescale":
            keep_chunks(connection, chosen(connection, default_days=retention_days).verdicts)
        if reporting_dsn:
            # Each time: a newer server or extension brings functions that were not there before.
            fence(connection, readable(reporting_dsn, "CLIPWARDEN_REPORTING__DSN"))
        return [file.name for file in missing]


def readable(dsn: str, setting: str = "CLIPWARDEN_STORE__DSN") -> str:
    """The DSN, if the driver can read it.

    Raises:
        ConfigError: without the driver's message, which repeats the DSN and with it the password.
    """
    try:
        conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        raise ConfigError(f"{setting} is no PostgreSQL address; use postgresql://user@host:port/name") from None
    return dsn


@contextmanager
def _connect(dsn: str) -> Iterator[psycopg.Connection]:
    try:
        # No prepared statements: their names outlive a connection behind a pooler, and collide.
        with psycopg.connect(readable(dsn), autocommit=True, connect_timeout=3, prepare_threshold=None) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"migrating: {str(error).strip()}") from error


@contextmanager
def _alone(connection: psycopg.Connection) -> Iterator[None]:
    connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))


def _flavour(connection: psycopg.Connection, done: set[str]) -> str:
    for flavour in ("plain", "timescale"):
        if any(name.endswith(f".{flavour}.sql") for name in done):
            return flavour
    query = "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"
    return "timescale" if connection.execute(query).fetchone() else "plain"


def _migrations(flavour: str) -> list[Traversable]:
    every = (file for file in files("core.storage").joinpath("migrations").iterdir() if file.name.endswith(".sql"))
    return sorted((file for file in every if _suits(file.name, flavour)), key=lambda file: file.name)


def _suits(name: str, flavour: str) -> bool:
    kind = name.removesuffix(".sql").partition(".")[2]
    return kind in ("", flavour)


def _apply(connection: psycopg.Connection, file: Traversable) -> None:
    text = file.read_text(encoding="utf-8")
    try:
        if file.name.endswith(".timescale.sql"):
            for statement in text.split(";\n"):
                _run(connection, statement)
            _note(connection, file.name)
        else:
            with connection.transaction():
                _run(connection, text)
                _note(connection, file.name)
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise ConfigError(
            f"migration {file.name}: {str(error).strip()}; correct the database and migrate again"
        ) from error
    _log.info("migration.applied", name=file.name)


def _run(connection: psycopg.Connection, text: str) -> None:
    if text.strip():
        connection.execute(sql.SQL(text))  # a file of ours, no input


def _note(connection: psycopg.Connection, name: str) -> None:
    connection.execute("INSERT INTO schema_migrations VALUES (%s, now())", (name,))
