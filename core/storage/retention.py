"""Retention for who may set it: what there is, what a shorter period would delete, and choosing one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.types.json import Jsonb

from core.access import Capability, Person
from core.errors_console import SettingRefused
from core.storage.audit_log import Act, note
from core.storage.database import Database
from core.storage.periods import HYPERTABLES, NAME, Kept, Periods, chosen, is_timescale, keep_chunks


@dataclass(frozen=True)
class Holding:
    """What there is of one kind now.

    Attributes:
        rows: of its main table, as the database estimates.
        size_bytes: with indexes, of all its tables.
        oldest: instant of the oldest row; None when there is none.
    """

    kind: Kept
    days: int
    rows: int
    size_bytes: int
    oldest: datetime | None


# (main table, its time, every table of the kind)
_TABLES: Mapping[Kept, tuple[str, str, tuple[str, ...]]] = {
    Kept.VERDICTS: ("verdicts", "event_time", ("videos", "verdicts", "contents", "shadow_scores")),
    Kept.SIGHTINGS: ("sightings", "event_time", ("sightings",)),
    Kept.DEAD_LETTERS: ("dead_letters", "died_at", ("dead_letters",)),
}
_CHOOSE = """
INSERT INTO platform_settings (name, value, changed_by) VALUES (%(name)s, %(value)s, %(by)s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = now(), changed_by = excluded.changed_by
"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('clipwarden.retention'))"


class Retention:
    """The periods for who may set them. All raise StoreUnavailable and Forbidden.

    Args:
        default_days: the setting, which holds until somebody chooses.
    """

    def __init__(self, database: Database, *, default_days: int) -> None:
        self._database = database
        self._default_days = default_days

    def periods(self, person: Person) -> Periods:
        """What holds now."""
        person.require(Capability.SET_POLICY)
        with self._database.connection() as connection:
            return chosen(connection, default_days=self._default_days)

    def holdings(self, person: Person) -> list[Holding]:
        """What there is of each kind, in one look."""
        person.require(Capability.SET_POLICY)
        with self._database.transaction() as connection:
            periods = chosen(connection, default_days=self._default_days)
            found = connection.execute(_holdings(has_chunks=is_timescale(connection))).fetchall()
        return [Holding(Kept(kind), getattr(periods, kind), max(0, rows), size, at) for kind, rows, size, at in found]

    def would_delete(self, person: Person, wanted: Periods, now: datetime) -> dict[Kept, int]:
        """How many rows of each main table other periods would delete, beside those that go anyway."""
        person.require(Capability.SET_POLICY)
        with self._database.transaction() as connection:
            return self._would_delete(connection, wanted, now)

    def choose(self, person: Person, wanted: Periods, now: datetime, *, confirmed_rows: int) -> None:
        """Let other periods hold; what they end is deleted within the hour.

        Raises:
            SettingRefused: more rows would go than were confirmed; nothing was changed.
        """
        person.require(Capability.SET_POLICY)
        with self._database.transaction() as connection:
            connection.execute(_LOCK)
            before = chosen(connection, default_days=self._default_days)
            going = sum(self._would_delete(connection, wanted, now).values())
            if going > confirmed_rows:
                raise SettingRefused(
                    "{going} rows would be deleted, {confirmed} were confirmed; look again",
                    going=going,
                    confirmed=confirmed_rows,
                )
            values = {"name": NAME, "value": Jsonb(wanted.model_dump()), "by": person.user_id}
            connection.execute(_CHOOSE, values)
            if is_timescale(connection):
                keep_chunks(connection, wanted.verdicts)
            detail = {"before": before.model_dump(), "to": wanted.model_dump(), "rows": going}
            note(connection, person, Act.CHANGED_SETTING, NAME, **detail)

    def _would_delete(self, connection: psycopg.Connection, wanted: Periods, now: datetime) -> dict[Kept, int]:
        held = chosen(connection, default_days=self._default_days).before(now)
        ends = wanted.before(now)
        counts = {}
        for kind, (table, at, _) in _TABLES.items():
            between = f"SELECT count(*) FROM {table} WHERE {at} >= %(held)s AND {at} < %(ends)s"  # noqa: S608 - ours
            row = connection.execute(between, {"held": held[kind.value], "ends": ends[kind.value]}).fetchone()
            counts[kind] = int(row[0]) if row else 0
        return counts


def _holdings(*, has_chunks: bool) -> str:
    """One row per kind: rows, bytes, oldest."""
    return " UNION ALL ".join(_holding(kind, has_chunks=has_chunks) for kind in Kept)


def _holding(kind: Kept, *, has_chunks: bool) -> str:
    main, at, tables = _TABLES[kind]
    sizes = " + ".join(_size(table, has_chunks=has_chunks) for table in tables)
    is_chunked = has_chunks and main in HYPERTABLES
    estimate = f"(SELECT reltuples::bigint FROM pg_class WHERE oid = '{main}'::regclass)"  # noqa: S608 - ours
    rows = f"approximate_row_count('{main}')" if is_chunked else estimate
    return f"SELECT '{kind.value}', {rows}, ({sizes})::bigint, (SELECT min({at}) FROM {main})"  # noqa: S608 - ours


def _size(table: str, *, has_chunks: bool) -> str:
    return f"{'hypertable_size' if has_chunks and table in HYPERTABLES else 'pg_total_relation_size'}('{table}')"
