"""bench filled: a database of its own, beside the platform's, with a million verdicts to measure pages and SQL on."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr
from rich.progress import track

from core.errors import ConfigError, StoreUnavailable
from core.events import Verdict
from core.settings import StoreSettings
from core.storage.history import TimescaleHistory
from core.storage.history_rows import verdict_columns
from core.storage.migrate import migrate
from operations.bench.filled_beside import fill_beside
from operations.bench.filled_rows import BLOCK, DECISION_COLUMNS, SPAN, block
from operations.seat import screen

NAME = "clipwarden_bench"
"""Every database filled here is named so: the platform's own can never be meant."""

_MARKS = """
CREATE TABLE IF NOT EXISTS bench_filling (verdicts bigint, decisions bigint, until timestamptz);
CREATE TABLE IF NOT EXISTS bench_blocks (block integer PRIMARY KEY)
"""
_SEEN = ("topic", "partition", "offset", "video_id", "verdict_id", "event_time", "replay_of")
_CONTENT = ("content_id", "failures", "event_time")
_NOT_OF_A_VERDICT = {"topic", "partition", "offset", "replay_of", "content_id", "is_fact", "is_current"}
_FACT = tuple(name for name in verdict_columns([]) if name not in _NOT_OF_A_VERDICT)
_VIDEO = (*_FACT, "partition", "offset")


@dataclass(frozen=True)
class Filling:
    """How much goes in: videos, each with its current verdict, and what people decided about them."""

    verdicts: int = 1_000_000
    decisions: int = 50_000

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Verdicts and decisions of each block."""
        blocks = range(0, self.verdicts, BLOCK)
        done = [self.decisions * at // len(blocks) for at in range(len(blocks) + 1)]
        return [(min(BLOCK, self.verdicts - at), done[number + 1] - done[number]) for number, at in enumerate(blocks)]


def bench_filled(server: str, filling: Filling) -> dict[str, object]:
    """Fill the database NAME on the server that this DSN is of; what a call cut short left is carried on.

    Raises:
        StoreUnavailable: the server does not answer.
    """
    started_s = time.perf_counter()
    dsn = fill(server, filling)
    with psycopg.connect(dsn) as connection:
        (size_bytes,) = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
    return {
        "bench": "filled",
        "database": NAME,
        "verdicts": filling.verdicts,
        "decisions": filling.decisions,
        "size_gb": round(size_bytes / 1e9, 2),
        "seconds": round(time.perf_counter() - started_s, 1),
    }


def fill(server: str, filling: Filling, *, name: str = NAME, fresh_for: timedelta | None = None) -> str:
    """Make the database hold exactly this filling.

    Args:
        server: a DSN of the server, of a role that may create databases.
        filling: another one than is there replaces it; the same one is completed.
        name: of the database; begins with NAME.
        fresh_for: one whose newest verdict is older is replaced too.

    Returns:
        The database's DSN.

    Raises:
        ConfigError: the name could be a database of the platform.
        StoreUnavailable: the server does not answer.
    """
    if not name.startswith(NAME):
        raise ConfigError(f"{name} is no database for benches; its name must begin with {NAME}")
    dsn = make_conninfo(server, dbname=name)
    try:
        oldest = datetime.now(UTC) - fresh_for if fresh_for else None
        _make_room(server, dsn, filling, oldest=oldest)
        migrate(dsn)
        with psycopg.connect(dsn, autocommit=True) as connection:
            until = _until(connection, filling)
            _fill_blocks(connection, filling, until)
            fill_beside(connection)
            connection.execute("VACUUM (ANALYZE)")
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"filling {name}: {str(error).strip()}") from error
    history = TimescaleHistory(StoreSettings(dsn=SecretStr(dsn)))
    history.refresh_aggregates(until - SPAN)
    history.close()
    return dsn


def _make_room(server: str, dsn: str, filling: Filling, *, oldest: datetime | None) -> None:
    """The database, empty unless it holds a part of this filling, no older than that."""
    name = str(conninfo_to_dict(dsn)["dbname"])
    with psycopg.connect(server, autocommit=True) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if exists and _holds(dsn, filling, oldest=oldest):
            return
        for statement in ("DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {}"):
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))  # two of ours
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_MARKS)


def _holds(dsn: str, filling: Filling, *, oldest: datetime | None) -> bool:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_MARKS)
        row = connection.execute("SELECT verdicts, decisions, until FROM bench_filling").fetchone()
    return row is not None and row[:2] == (filling.verdicts, filling.decisions) and not (oldest and row[2] < oldest)


def _until(connection: psycopg.Connection, filling: Filling) -> datetime:
    """When the newest verdict is of: the start of the first call, also for one that carries on."""
    known = connection.execute("SELECT until FROM bench_filling").fetchone()
    if known:
        until: datetime = known[0]
        return until
    now = datetime.now(UTC)
    connection.execute("INSERT INTO bench_filling VALUES (%s, %s, %s)", (filling.verdicts, filling.decisions, now))
    return now


def _fill_blocks(connection: psycopg.Connection, filling: Filling, until: datetime) -> None:
    done = {number for (number,) in connection.execute("SELECT block FROM bench_blocks")}
    missing = [number for number in range(len(filling.sizes)) if number not in done]
    # Lost after a crash of the machine, and then filled again.
    connection.execute("SET synchronous_commit = off")
    for number in track(missing, "filling", console=screen, transient=True):
        made = block(number, *filling.sizes[number], total=filling.verdicts, until=until)
        with connection.transaction():
            _copy_verdicts(connection, made.current, is_current=True)
            _copy_verdicts(connection, made.earlier, is_current=False)
            _copy(connection, "review_decisions", DECISION_COLUMNS, made.decisions)
            connection.execute("INSERT INTO bench_blocks VALUES (%s)", (number,))


def _copy_verdicts(connection: psycopg.Connection, verdicts: Sequence[Verdict], *, is_current: bool) -> None:
    columns = verdict_columns(verdicts)
    tables = {"verdicts": _FACT, "contents": _CONTENT, "sightings": _SEEN}
    for table, names in ({"videos": _VIDEO, **tables} if is_current else tables).items():
        _copy(connection, table, names, zip(*(columns[name] for name in names), strict=True))


def _copy(connection: psycopg.Connection, table: str, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(row)
