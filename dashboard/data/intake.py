"""What the console reads of the ledger, and does to it: three statements to look, one transaction for each act.

On the path: the Ingestion page → here → the ledger's tables, which the ingestion worker reads on its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import psycopg
from psycopg.rows import dict_row

from core.access import Capability, Person
from core.storage import ledger_sql as sql
from core.storage.audit_log import Act, note
from core.storage.database import Database
from core.storage.items import Item, ItemCount, ItemState
from core.storage.ledger_rows import ITEM_COLUMNS, read_item

STORED_OVER_S = 60
ALL_ITEMS = "all items"

_PULSE = f"""
SELECT
(SELECT coalesce(array_agg(source), '{{}}') FROM paused_sources),
(SELECT coalesce(sum(size_bytes), 0)::bigint FROM items
    WHERE state = 'posted' AND updated_at >= now() - interval '{STORED_OVER_S} seconds'),
(SELECT min(found_at) FROM items WHERE state IN ('found', 'fetched', 'stored')),
(SELECT count(*) FROM item_outbox WHERE sent_at IS NULL)
""".encode()  # noqa: S608 - a number of ours
# By source too: so the index by source and state finds a handful among a million.
_TROUBLED = f"""
SELECT {", ".join(ITEM_COLUMNS)} FROM items
WHERE source = ANY(%(sources)s) AND state IN ('refused', 'failed')
ORDER BY updated_at DESC, item_id DESC LIMIT %(limit)s
""".encode()  # noqa: S608 - the names of our own fields


@dataclass(frozen=True)
class Pulse:
    """What changes from second to second.

    Attributes:
        paused: sources of which no item is given out.
        stored_bytes: of videos posted in the last STORED_OVER_S.
        oldest_waiting: when the oldest open item was found, paused sources included; None without one.
        unsent: events of posted items that are not known to be on the topic.
    """

    paused: frozenset[str] = frozenset()
    stored_bytes: int = 0
    oldest_waiting: datetime | None = None
    unsent: int = 0


class Intake(Protocol):
    """Looks need SEE_PLATFORM, acts OPERATE, else Forbidden; all raise StoreUnavailable, nothing was changed then."""

    def pulse(self, person: Person) -> Pulse:
        """What changes from second to second."""
        ...

    def counts(self, person: Person) -> list[ItemCount]:
        """All items by source, state and code; it reads an index of them all, so ask seldom."""
        ...

    def troubled(self, person: Person, sources: Sequence[str], limit: int) -> list[Item]:
        """What ended badly last in these sources, newest first."""
        ...

    def pause(self, person: Person, source: str) -> None:
        """Give out no item of a source any more."""
        ...

    def resume(self, person: Person, source: str) -> None:
        """Give out items of a source again."""
        ...

    def retry(self, person: Person, *, source: str | None = None, code: str | None = None) -> int:
        """Open refused and failed items again; returns how many."""
        ...


class AuditedIntake:
    """In the database; what changed something stands in the audit log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pulse(self, person: Person) -> Pulse:
        """What changes from second to second."""
        person.require(Capability.SEE_PLATFORM)
        with self._database.connection() as connection:
            row = connection.execute(_PULSE).fetchone()
        return Pulse(frozenset(row[0]), *row[1:]) if row else Pulse()

    def counts(self, person: Person) -> list[ItemCount]:
        """All items by source, state and code."""
        person.require(Capability.SEE_PLATFORM)
        with self._database.connection() as connection:
            rows = connection.execute(sql.COUNTS).fetchall()
        return [ItemCount(source, ItemState(state), code, int(count)) for source, state, code, count in rows]

    def troubled(self, person: Person, sources: Sequence[str], limit: int) -> list[Item]:
        """What ended badly last in these sources, newest first."""
        person.require(Capability.SEE_PLATFORM)
        values = {"sources": list(sources), "limit": limit}
        with self._database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return [read_item(row) for row in cursor.execute(_TROUBLED, values)]

    def pause(self, person: Person, source: str) -> None:
        """Give out no item of a source any more."""
        person.require(Capability.OPERATE)
        with self._database.transaction() as connection:
            if _changed(connection, sql.PAUSE, source=source, by=person.user_id):
                note(connection, person, Act.PAUSED, source)

    def resume(self, person: Person, source: str) -> None:
        """Give out items of a source again."""
        person.require(Capability.OPERATE)
        with self._database.transaction() as connection:
            if _changed(connection, sql.RESUME, source=source):
                note(connection, person, Act.RESUMED, source)

    def retry(self, person: Person, *, source: str | None = None, code: str | None = None) -> int:
        """Open refused and failed items again; returns how many."""
        person.require(Capability.OPERATE)
        with self._database.transaction() as connection:
            items = _changed(connection, sql.RETRY, source=source, code=code, item_id=None)
            if items:
                note(
                    connection, person, Act.RETRIED, source or code or ALL_ITEMS, source=source, code=code, items=items
                )
        return items


def _changed(connection: psycopg.Connection, statement: bytes, **values: object) -> int:
    return connection.execute(statement, values).rowcount
