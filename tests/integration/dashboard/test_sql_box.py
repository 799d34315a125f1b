"""The SQL box over a real server: what may be asked is answered, and nothing else happens."""

import threading
import time

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from core.access import Person, Role
from core.errors import ConfigError, PlatformError, StoreUnavailable
from core.errors_console import Forbidden
from core.errors_query import QueryError, QueryFailed, QueryStopped
from core.settings import StoreSettings
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from core.storage.migrate import migrate
from dashboard.data.catalogue import Catalogue
from dashboard.data.sql_box import SqlBox
from dashboard.data.sql_door import MAX_CHARACTERS
from dashboard.data.table_file import Format
from dashboard.sql_templates import TEMPLATES, preview
from operations.bench.hostile_sql import HOSTILE
from operations.bench.sql_box import fingerprint, left_behind
from tests.fixtures.sql import ENGINEER, TIMEOUT_S, SqlSite
from tests.fixtures.stores import make_verdict

pytestmark = pytest.mark.integration

FOREVER = "SELECT count(*) FROM generate_series(1, 1000000000000)"


@pytest.fixture(scope="module", autouse=True)
def _one_video(sql_site: SqlSite) -> None:
    history = TimescaleHistory(StoreSettings(dsn=SecretStr(sql_site.dsn)))
    history.write([make_verdict("v:sql", caption="xin chào 100%")], [])
    history.close()


@pytest.mark.parametrize(("name", "statement"), HOSTILE, ids=[name for name, _ in HOSTILE])
def test_a_hostile_statement_is_stopped_with_one_clear_line(sql_site: SqlSite, name: str, statement: str) -> None:
    before = fingerprint(sql_site.dsn)
    started_s = time.monotonic()

    with pytest.raises(QueryError) as info:
        sql_site.box.run(ENGINEER, statement)

    assert info.value.message
    assert "\n" not in info.value.message
    assert time.monotonic() - started_s < TIMEOUT_S + 8
    assert fingerprint(sql_site.dsn) == before
    assert left_behind(sql_site.dsn) == 0


WALL = [(name, text) for name, text in HOSTILE if text.startswith(("SELECT ", "INSERT", "UPDATE", "DELETE", "DO", "CREATE", "TRUNCATE", "DROP", "ALTER", "GRANT", "LOCK", "COPY"))]  # fmt: skip  # noqa: E501
ONLY_THE_DOOR = {"others' statements", "catalogue in a subquery", "information schema", "two statements", "lock rows"}


@pytest.mark.parametrize(
    ("name", "statement"),
    [row for row in WALL if row[0] not in ONLY_THE_DOOR and "\x00" not in row[1] and len(row[1]) < MAX_CHARACTERS],
    ids=lambda value: str(value)[:24],
)
def test_without_the_door_the_server_itself_refuses(sql_site: SqlSite, name: str, statement: str) -> None:
    dsn = sql_site.settings.dsn.get_secret_value()

    with psycopg.connect(dsn, options="-c statement_timeout=700") as connection:
        with pytest.raises(psycopg.Error):
            connection.execute(statement.encode())
        connection.rollback()
        # What it may set for itself does not help it to write.
        connection.execute("SET default_transaction_read_only = off")
        connection.commit()
        with pytest.raises(psycopg.Error):
            connection.execute(statement.encode())


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_works(sql_site: SqlSite, name: str) -> None:
    assert sql_site.box.run(ENGINEER, TEMPLATES[name]).rows.names


def test_a_preview_shows_what_is_there(sql_site: SqlSite) -> None:
    found = sql_site.box.run(ENGINEER, preview("videos")).rows

    assert dict(zip(found.names, found.rows[0], strict=True))["caption"] == "xin chào 100%"


def test_rows_and_bytes_are_cut_and_it_says_so(sql_site: SqlSite) -> None:
    many = sql_site.box.run(ENGINEER, "SELECT n FROM generate_series(1, 100000) AS n")
    large = sql_site.box.run(ENGINEER, "SELECT repeat('x', 90000) FROM generate_series(1, 1000)")

    assert (many.rows.cut, len(many.rows.rows)) == ("rows", sql_site.settings.max_rows)
    assert (large.rows.cut, len(large.rows.rows)) == ("bytes", 11)


def test_a_row_too_large_never_leaves_the_server(sql_site: SqlSite) -> None:
    with pytest.raises(QueryFailed, match="one row holds 20000"):
        sql_site.box.run(ENGINEER, "SELECT repeat('x', 20000000)")


def test_an_error_says_where_it_is(sql_site: SqlSite) -> None:
    with pytest.raises(QueryFailed, match='column "vidio_id" does not exist at line 2, column 8'):
        sql_site.box.run(ENGINEER, "-- my question\nSELECT vidio_id FROM videos")


def test_a_statement_is_cancelled_while_it_runs(sql_site: SqlSite) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    started_s = time.monotonic()

    with pytest.raises(QueryStopped, match="cancelled"):
        sql_site.box.run(ENGINEER, FOREVER, stop)

    assert time.monotonic() - started_s < TIMEOUT_S


def test_who_may_not_query_asks_nothing_and_who_may_not_export_takes_nothing(sql_site: SqlSite) -> None:
    result = sql_site.box.run(ENGINEER, "SELECT 1")
    lead, viewer = Person("le", "Le", Role.LEAD), Person("vi", "Vi", Role.VIEWER)

    with pytest.raises(Forbidden):
        sql_site.box.run(lead, "SELECT 1")
    with pytest.raises(Forbidden):
        sql_site.box.history(lead, 1)
    with pytest.raises(Forbidden):
        sql_site.box.note_export(viewer, result, Format.CSV)


def test_each_statement_is_in_the_audit_log_also_a_refused_one(sql_site: SqlSite) -> None:
    person = Person("audited", "A", Role.ENGINEER)
    sql_site.box.run(person, "SELECT 'audited'")
    with pytest.raises(PlatformError):
        sql_site.box.run(person, "DELETE FROM videos\x00")

    refused, run = sql_site.box.history(person, 5)

    assert (run.statement, run.refused) == ("SELECT 'audited'", "")
    assert refused.statement == "DELETE FROM videos\u2400"
    assert "control character" in refused.refused


def test_an_export_is_in_the_audit_log(sql_site: SqlSite) -> None:
    result = sql_site.box.run(ENGINEER, "SELECT 7 AS n")

    sql_site.box.note_export(ENGINEER, result, Format.PARQUET)

    noted = sql_site.one("SELECT detail FROM audit_log WHERE action = 'exported' ORDER BY entry_id DESC LIMIT 1")
    assert noted == {"statement": "SELECT 7 AS n", "rows": 1, "format": "parquet"}


def test_a_role_that_may_do_more_than_read_runs_nothing(sql_site: SqlSite) -> None:
    owner = sql_site.settings.model_copy(update={"dsn": SecretStr(sql_site.dsn)})

    with pytest.raises(ConfigError, match="not fenced in"):
        SqlBox(owner, sql_site.database).run(ENGINEER, "SELECT 1")


def test_a_function_that_came_later_shuts_the_box_until_it_is_fenced_in(sql_site: SqlSite) -> None:
    with psycopg.connect(sql_site.dsn, autocommit=True) as connection:
        connection.execute("CREATE FUNCTION reach_out() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1'")
    with pytest.raises(ConfigError, match="reach_out"):
        sql_site.box.run(ENGINEER, "SELECT 1")

    migrate(sql_site.dsn, reporting_dsn=sql_site.settings.dsn.get_secret_value())

    assert sql_site.box.run(ENGINEER, "SELECT 1").rows.rows == ((1,),)


def test_a_database_that_is_down_is_an_outage_and_no_empty_answer(sql_site: SqlSite) -> None:
    nowhere = make_conninfo(sql_site.dsn, port="9")
    down = Database(StoreSettings(dsn=SecretStr(nowhere)), "down")

    with pytest.raises(StoreUnavailable):
        SqlBox(sql_site.settings, down).run(ENGINEER, "SELECT 1")


def test_the_catalogue_names_every_view_with_its_columns_and_an_estimate_once_there_is_one(sql_site: SqlSite) -> None:
    catalogue = Catalogue(sql_site.database)
    with psycopg.connect(sql_site.dsn, autocommit=True) as connection:
        connection.execute("ANALYZE videos")

    views = {view.name: view for view in catalogue.views(ENGINEER)}

    assert {"videos", "verdicts", "decisions", "dead_letters", "verdicts_per_minute", "items", "shadow_scores"} <= set(
        views
    )
    assert views["videos"].rows == 1
    assert views["videos"].size_bytes > 0
    assert "reviewer" not in [column.name for column in views["decisions"].columns]
    with pytest.raises(Forbidden):
        catalogue.views(Person("vi", "Vi", Role.VIEWER))
