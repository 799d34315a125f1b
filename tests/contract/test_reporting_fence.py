"""The reporting role reads the reporting schema and can do nothing else, on both kinds of database."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from core.settings import StoreSettings
from core.storage.history import TimescaleHistory
from core.storage.migrate import migrate
from core.storage.reporting import HOLES
from operations.bench.hostile_sql import HOSTILE
from tests.fixtures.stores import NOON, make_alert, make_verdict

READER = "fence_reader"
VIEWS = "SELECT viewname FROM pg_views WHERE schemaname = 'reporting' ORDER BY 1"
WRITES = ("insert", "update", "delete", "truncate", "drop", "create table as", "keys", "audit log")
CALLS = ("pg_notify", "set_config", "advisory lock", "sleep", "lo_create", "pg_read_file", "sql in a string", "nextval")
OF_TIMESCALE = (
    "SELECT public.drop_chunks('verdicts', now())",
    "SELECT public.add_retention_policy('verdicts', INTERVAL '1 day')",
    "SELECT public.add_job('pg_catalog.pg_sleep', '1s')",
    "SELECT public.compress_chunk(show_chunks) FROM public.show_chunks('public.verdicts')",
    "CALL public.run_job(1)",
    "CALL public.refresh_continuous_aggregate('public.verdicts_per_minute', NULL, NULL)",
    "SELECT _timescaledb_functions.stop_background_workers()",
    "SELECT _timescaledb_functions.generate_uuid()",
)


@pytest.fixture
def owner(database: str) -> Iterator[psycopg.Connection]:
    """A database with two verdicts, counted, and the role fenced in."""
    history = TimescaleHistory(StoreSettings(dsn=SecretStr(database), pool_max=1))
    history.write([make_verdict("v:1"), make_alert("v:2", offset=1, minute=1)], [])
    history.refresh_aggregates(NOON - timedelta(days=1))
    history.close()
    migrate(database, reporting_dsn=make_conninfo(database, user=READER, password="of a test"))
    with psycopg.connect(database, prepare_threshold=None) as connection:
        row = connection.execute("SHOW search_path").fetchone()
        yield connection
        connection.rollback()
        connection.execute("RESET ROLE")
        # The next test's session is this one, where the server knows only one.
        connection.execute("SELECT set_config('search_path', %s, false)", row)
        connection.commit()


def as_reader(connection: psycopg.Connection) -> None:
    """Be the role on this line: the compiled TimescaleDB knows one session, and no passwords."""
    connection.execute(f"SET ROLE {READER}")
    connection.execute("SET search_path = reporting")
    connection.commit()


def _is_timescale(connection: psycopg.Connection) -> bool:
    return connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is not None


def test_the_role_may_do_nothing_beyond_reading(owner: psycopg.Connection) -> None:
    as_reader(owner)

    holes = [hole for (hole,) in owner.execute(HOLES)]

    # The compiled TimescaleDB runs in template1, whatever it is asked for, and cannot change that database's own row.
    compiled = owner.execute("SELECT current_database() <> %s", (owner.info.dbname,)).fetchone() == (True,)
    assert holes == (["may create in this database"] if compiled else [])


def test_the_role_reads_every_view(owner: psycopg.Connection) -> None:
    views = [name for (name,) in owner.execute(VIEWS)]
    as_reader(owner)

    read = {name: owner.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name))).rowcount for name in views}

    assert {"videos", "verdicts", "verdicts_per_minute", "shadow_disagreement"} <= set(read)
    assert (read["videos"], read["verdicts"], read["verdicts_per_minute"]) == (2, 2, 2)


@pytest.mark.parametrize("name", [*WRITES, *CALLS])
def test_the_server_itself_refuses(owner: psycopg.Connection, name: str) -> None:
    as_reader(owner)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute(dict(HOSTILE)[name].encode())


@pytest.mark.parametrize("statement", OF_TIMESCALE)
def test_what_timescaledb_adds_is_refused_too(owner: psycopg.Connection, statement: str) -> None:
    as_reader(owner)

    refused = psycopg.errors.InsufficientPrivilege
    unknown = (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName)
    with pytest.raises(refused if _is_timescale(owner) else (refused, *unknown)):
        owner.execute(statement.encode())
