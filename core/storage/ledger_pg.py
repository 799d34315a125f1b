"""The ledger in PostgreSQL, beside the history: every call is one transaction."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from core.events import VideoPosted
from core.settings import StoreSettings
from core.storage import ledger_erase
from core.storage import ledger_sql as sql
from core.storage.database import Database
from core.storage.items import (
    OPEN_STATES,
    Content,
    Failure,
    Forgotten,
    Item,
    ItemCount,
    ItemState,
    Lease,
    NewItem,
    Sighting,
)
from core.storage.ledger_outbox import PostgresOutbox
from core.storage.ledger_rows import clean, contents_json, given, key_of, read_item, read_sighting
from core.storage.ledger_rules import Fate, fates_of, forgotten_item


class PostgresLedger(PostgresOutbox):
    """Connects at the first call and again by itself. Safe to share between threads.

    Raises:
        ConfigError: the DSN cannot be read.
    """

    def __init__(self, settings: StoreSettings) -> None:
        super().__init__(Database(settings, "ledger"))

    def found(self, items: Sequence[NewItem], *, lease: Lease | None = None) -> list[Item]:
        """Note items and their sightings; those known before only gain the sighting."""
        rows, keys = {"items": given(items)}, [key_of(item) for item in items]
        with self._database.transaction() as connection:
            connection.execute(sql.FOUND, rows)
            connection.execute(sql.SEEN, rows)
            if lease:
                self._claim(connection, lease, limit=len(keys), states=OPEN_STATES, keys=keys, any_host=True, host=None)
            kept = {item.item_key: item for item in _items(connection, sql.BY_KEY, {"keys": keys})}
        return [kept.get(key) or forgotten_item(item) for key, item in zip(keys, items, strict=True)]

    def claim(
        self, lease: Lease, *, limit: int, states: Sequence[ItemState] = OPEN_STATES, host: str | None = None
    ) -> list[Item]:
        """Take items that are due, free, of no paused source, and reachable from `host`; the longest due first."""
        with self._database.transaction() as connection:
            connection.execute(sql.BURY)
            taken = self._claim(connection, lease, limit=limit, states=states, keys=None, any_host=False, host=host)
        return sorted(taken, key=lambda item: (item.next_try, item.item_id))

    def renew(self, lease: Lease) -> None:
        """Keep everything this owner holds for `lease_s` from now."""
        self._execute(sql.RENEW, {"owner": lease.owner, "lease_s": lease.lease_s})

    def release(self, owner: str, item_ids: Sequence[int] | None = None) -> None:
        """Give items back untouched; None: all that this owner holds."""
        self._execute(sql.RELEASE, {"owner": owner, "ids": None if item_ids is None else list(item_ids)})

    def fetched(self, owner: str, contents: Sequence[Content]) -> list[Item]:
        """Note what the items' bytes are and announce their objects, before these are put."""
        arguments = {"owner": owner, "contents": contents_json(contents)}
        with self._database.transaction() as connection:
            connection.execute(sql.ALONE)
            fates = [Fate(*row) for row in connection.execute(sql.JUDGE_CONTENTS, arguments)]
            going_on = _end(connection, fates)
            connection.execute(sql.FETCHED, {**arguments, "ids": going_on})
            return _items(connection, sql.BY_ID, {"ids": [fate.item_id for fate in fates]})

    def stored(self, owner: str, item_ids: Sequence[int]) -> None:
        """Note that the store confirmed the items' objects."""
        self._execute(sql.STORED, {"owner": owner, "ids": list(item_ids)})

    def posted(self, owner: str, posts: Sequence[tuple[int, VideoPosted]]) -> list[Item]:
        """Finish items and write their events to the outbox, each exactly once."""
        events = dict(posts)
        with self._database.transaction() as connection:
            connection.execute(sql.ALONE)
            rows = connection.execute(sql.JUDGE_STORED, {"owner": owner, "ids": list(events)})
            fates = fates_of([Fate(*row) for row in rows])
            going_on = _end(connection, fates)
            connection.execute(sql.POSTED, {"ids": going_on})
            connection.execute(sql.OUTBOX, _outbox({item_id: events[item_id] for item_id in going_on}))
            return _items(connection, sql.BY_ID, {"ids": [fate.item_id for fate in fates]})

    def refused(self, owner: str, item_id: int, failure: Failure) -> None:
        """End an item for good."""
        self._execute(sql.REFUSED, {"owner": owner, "item_id": item_id, **_reason(failure)})

    def later(
        self, owner: str, item_id: int, failure: Failure, *, next_try: datetime, max_attempts: int
    ) -> ItemState | None:
        """Count a failure and try again at an instant, or end as `failed` with the last attempt; None: not held."""
        arguments = {"owner": owner, "item_id": item_id, "next_try": next_try, "max_attempts": max_attempts}
        with self._database.connection() as connection:
            row = connection.execute(sql.LATER, {**arguments, **_reason(failure)}).fetchone()
        return ItemState(row[0]) if row else None

    def retry(self, *, source: str | None = None, code: str | None = None, item_id: int | None = None) -> int:
        """Open refused and failed items again, with all their attempts; returns how many."""
        return self._execute(sql.RETRY, {"source": source, "code": code, "item_id": item_id})

    def pause(self, source: str, by: str) -> None:
        """Give out no item of a source any more."""
        self._execute(sql.PAUSE, {"source": source, "by": by})

    def resume(self, source: str) -> None:
        """Give out items of a source again."""
        self._execute(sql.RESUME, {"source": source})

    def paused(self) -> frozenset[str]:
        """The sources that are paused."""
        with self._database.connection() as connection:
            return frozenset(source for (source,) in connection.execute(sql.PAUSED))

    def item(self, item_id: int) -> Item | None:
        """One item."""
        return next(iter(self._items(sql.BY_ID, {"ids": [item_id]})), None)

    def items(
        self, limit: int, *, source: str | None = None, state: ItemState | None = None, code: str | None = None
    ) -> list[Item]:
        """The items changed last, newest first."""
        return self._items(sql.CHANGED, {"limit": limit, "source": source, "state": state, "code": code})

    def of_video(self, video_id: str) -> list[Item]:
        """The items of a video, repeats included, oldest first."""
        return self._items(sql.OF_VIDEO, {"video_id": video_id})

    def sightings(self, item_id: int) -> list[Sighting]:
        """When and where an item was met, oldest first."""
        with self._database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return [read_sighting(row) for row in cursor.execute(sql.SIGHTINGS, {"item_id": item_id})]

    def counts(self) -> list[ItemCount]:
        """All items, by source, state and code."""
        with self._database.connection() as connection:
            rows = connection.execute(sql.COUNTS).fetchall()
        return [ItemCount(source, ItemState(state), code, int(count)) for source, state, code, count in rows]

    def oldest_waiting(self) -> datetime | None:
        """When the oldest open item was found, paused sources included; None without one."""
        with self._database.connection() as connection:
            row = connection.execute(sql.OLDEST).fetchone()
        return row[0] if row else None

    def forget(self, video_id: str, by: str) -> Forgotten:
        """Erase a video from every table and leave a tombstone."""
        with self._database.transaction() as connection:
            connection.execute(sql.ALONE)
            return ledger_erase.forget(connection, video_id, by)

    def came_back(self, limit: int = 100) -> list[str]:
        """The video_ids that were forgotten and have a verdict again."""
        with self._database.connection() as connection:
            return ledger_erase.came_back(connection, limit)

    def remove_doomed(self, delete: Callable[[str], None], *, limit: int = 100) -> int:
        """Delete objects that no item needs any more."""
        return sum(1 for _ in itertools.takewhile(lambda _: self._remove_one(delete), range(limit)))

    def known_objects(self, uris: Sequence[str]) -> frozenset[str]:
        """Which of these objects something refers to, or are to be deleted."""
        with self._database.connection() as connection:
            return ledger_erase.known_objects(connection, list(uris))

    def ping(self) -> None:
        """Raise StoreUnavailable when the database does not answer."""
        self._execute(b"SELECT 1", {})

    def close(self) -> None:
        """Let go of the pool."""
        self._database.close()

    def _claim(self, connection: psycopg.Connection, lease: Lease, **which: Any) -> list[Item]:  # noqa: ANN401 - SQL
        states = [state.value for state in which.pop("states")]
        return _items(
            connection, sql.CLAIM, {"owner": lease.owner, "lease_s": lease.lease_s, "states": states, **which}
        )

    def _remove_one(self, delete: Callable[[str], None]) -> bool:
        with self._database.transaction() as connection:
            connection.execute(sql.ALONE)
            return ledger_erase.remove_one(connection, delete)

    def _execute(self, statement: bytes, arguments: Mapping[str, Any]) -> int:
        with self._database.connection() as connection:
            return connection.execute(statement, arguments).rowcount

    def _items(self, statement: bytes, arguments: Mapping[str, Any]) -> list[Item]:
        with self._database.connection() as connection:
            return _items(connection, statement, arguments)


def _items(connection: psycopg.Connection, statement: bytes, arguments: Mapping[str, Any]) -> list[Item]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return [read_item(row) for row in cursor.execute(statement, arguments)]


def _end(connection: psycopg.Connection, fates: Sequence[Fate]) -> list[int]:
    """End those that were forgotten or repeat another; returns the others."""
    forgotten = [fate.item_id for fate in fates if fate.is_forgotten]
    twins = {fate.item_id: fate.twin for fate in fates if fate.twin is not None and not fate.is_forgotten}
    if forgotten:
        connection.execute(sql.FORGOTTEN, {"ids": forgotten})
    if twins:
        connection.execute(sql.REPEATED, {"ids": list(twins), "twins": list(twins.values())})
    return [fate.item_id for fate in fates if not fate.is_forgotten and fate.twin is None]


def _outbox(events: Mapping[int, VideoPosted]) -> dict[str, list[Any]]:
    return {
        "ids": list(events),
        "keys": [event.video_id.encode() for event in events.values()],
        "values": [event.to_bytes() for event in events.values()],
    }


def _reason(failure: Failure) -> dict[str, str]:
    return {"code": failure.code, "message": str(clean(failure.message))}
