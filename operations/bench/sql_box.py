"""bench sql-box: statements that try to do harm, each with what stopped it, on servers thrown away afterwards."""

import time
from collections.abc import Mapping
from typing import Any

import psycopg
from rich.table import Table

from core.access import Person, Role
from core.errors import PlatformError
from core.storage.database import Database
from dashboard.data.sql_box import SqlBox
from operations.bench.hostile_sql import HOSTILE
from operations.bench.site import bench_site
from operations.seat import screen
from operations.state import Plan

BENCH = Person("bench", "bench", Role.ENGINEER)
TIMEOUT_S = 3.0

_TABLES = """
SELECT oid::regclass::text FROM pg_class
WHERE relkind IN ('r', 'S', 'v') AND relnamespace = ANY (ARRAY['public', 'reporting']::regnamespace[])
    AND oid NOT IN ('audit_log'::regclass, 'audit_log_entry_id_seq'::regclass)
ORDER BY 1
"""
_FINGERPRINT = """
SELECT md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) FROM (SELECT * FROM {}) AS t
"""
_LEFT = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE usename = %(role)s)
    + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')
    + (SELECT count(*) FROM pg_prepared_xacts) + (SELECT count(*) FROM pg_largeobject_metadata)
"""


def bench_sql_box() -> dict[str, object]:
    """Runs each statement as an engineer would."""
    with bench_site(Plan()) as site:
        settings = site.settings.reporting.model_copy(update={"timeout_s": TIMEOUT_S})
        database = Database(site.settings.store, "bench")
        dsn = site.settings.store.dsn.get_secret_value()
        before = fingerprint(dsn)
        outcomes = [_outcome(SqlBox(settings, database), name, statement) for name, statement in HOSTILE]
        is_unchanged, left = fingerprint(dsn) == before, left_behind(dsn)
        database.close()
    return {
        "bench": "sql-box",
        "statements": len(outcomes),
        "succeeded": [row["name"] for row in outcomes if row["code"] == "succeeded"],
        "is_unchanged": is_unchanged and not left,
        "connections_and_locks_left": left,
        "longest_s": max(float(row["seconds"]) for row in outcomes),
        "outcomes": outcomes,
    }


def fingerprint(dsn: str) -> dict[str, str]:
    """Every row of every table and view, the audit log aside, as one hash each."""
    with psycopg.connect(dsn) as connection:
        names = [str(name) for (name,) in connection.execute(_TABLES)]
        rows = {name: connection.execute(_FINGERPRINT.format(name).encode()).fetchone() for name in names}
    return {name: str(row and row[0]) for name, row in rows.items()}


def left_behind(dsn: str, *, role: str = "clipwarden_reporting", within_s: float = 10.0) -> int:
    """Connections of the role, locks and objects that are still there once servers had time to clean up."""
    deadline_s = time.monotonic() + within_s
    with psycopg.connect(dsn, autocommit=True) as connection:
        while True:
            row = connection.execute(_LEFT, {"role": role}).fetchone()
            left = int(row[0]) if row else 0
            if not left or time.monotonic() > deadline_s:
                return left
            time.sleep(0.1)


def show(result: Mapping[str, Any]) -> None:
    """The table that a person reads."""
    table = Table("statement", "s", "stopped by", box=None)
    for row in result["outcomes"]:
        table.add_row(row["name"], f"{row['seconds']:.2f}", f"{row['code']}: {row['message'][:96]}")
    screen.print(table, markup=False)
    screen.print(
        f"{len(result['succeeded'])} of {result['statements']} succeeded; "
        f"database {'unchanged' if result['is_unchanged'] else 'CHANGED'}; longest {result['longest_s']:.1f} s"
    )


def _outcome(box: SqlBox, name: str, statement: str) -> dict[str, Any]:
    started_s = time.monotonic()
    try:
        box.run(BENCH, statement)
        code, message = "succeeded", ""
    except PlatformError as error:
        code, message = error.code, error.message
    return {"name": name, "code": code, "message": message, "seconds": round(time.monotonic() - started_s, 2)}
