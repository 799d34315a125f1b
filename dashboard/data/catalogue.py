"""What the reporting schema holds: its views, how many rows, how large, which columns."""

import json
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from core.access import Capability, Person
from core.storage.database import Database

# A view has no size: it is that of the tables it stands on, with their partitions.
_VIEWS = """
WITH RECURSIVE stands_on (view, relation) AS (
    SELECT oid, oid FROM pg_class WHERE relnamespace = to_regnamespace('reporting') AND relkind = 'v'
    UNION
    SELECT s.view, below.relation FROM stands_on s JOIN LATERAL (
        SELECT d.refobjid AS relation FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid
        WHERE r.ev_class = s.relation AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
        UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = s.relation
    ) below ON true
), sizes AS (
    SELECT s.view, sum(pg_total_relation_size(c.oid)) AS bytes, bool_and(c.reltuples < 0) AS uncounted
    FROM stands_on s JOIN pg_class c ON c.oid = s.relation
    WHERE c.relkind IN ('r', 'm') GROUP BY s.view
)
SELECT
    v.relname, coalesce(obj_description(v.oid, 'pg_class'), ''), coalesce(z.bytes, 0)::bigint, z.uncounted,
    (SELECT json_agg(json_build_array(
        a.attname, format_type(a.atttypid, a.atttypmod), coalesce(col_description(v.oid, a.attnum), '')
    ) ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = v.oid AND a.attnum > 0)
FROM pg_class v JOIN sizes z ON z.view = v.oid ORDER BY v.relname
"""


@dataclass(frozen=True)
class Column:
    """A column of a view."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class View:
    """A view of the reporting schema.

    Attributes:
        rows: the planner's estimate; None while the server has not looked at the tables behind it.
        size_bytes: of the tables behind it, with their indexes.
    """

    name: str
    comment: str
    rows: int | None
    size_bytes: int
    columns: tuple[Column, ...]


class Catalogue:
    """Reads the schema for who may query. Raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def views(self, person: Person) -> list[View]:
        """All views, by name; none before the migration that makes them.

        Raises:
            Forbidden: the person may not query.
        """
        person.require(Capability.QUERY)
        with self._database.connection() as connection:
            found = connection.execute(_VIEWS).fetchall()
            rows = _estimates(connection, [name for name, *_ in found])
        return [
            View(
                name, comment, None if uncounted else estimate, size_bytes, tuple(Column(*column) for column in columns)
            )
            for (name, comment, size_bytes, uncounted, columns), estimate in zip(found, rows, strict=True)
        ]


def _estimates(connection: psycopg.Connection, names: list[str]) -> list[int]:
    """What the planner expects of each view, in one question: counting a million rows would take too long."""
    if not names:
        return []
    counts = [sql.SQL("(SELECT count(*) FROM reporting.{})").format(sql.Identifier(name)) for name in names]
    row = connection.execute(sql.SQL("EXPLAIN (FORMAT JSON) SELECT {}").format(sql.SQL(", ").join(counts))).fetchone()
    if row is None:
        return [0] * len(names)
    told = row[0] if isinstance(row[0], list) else json.loads(row[0])
    plans = [plan for plan in told[0]["Plan"]["Plans"] if plan["Parent Relationship"] == "InitPlan"]
    return [_rows(plan) for plan in plans]


def _rows(plan: dict[str, Any]) -> int:
    """The rows that are counted: below what counts them, which may be done in parts."""
    below = plan["Plans"][0]
    is_counting = below["Node Type"] == "Gather" or below.get("Partial Mode") == "Partial"
    return _rows(below) if is_counting else int(below["Plan Rows"])
