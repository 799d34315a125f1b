"""The rows of a ledger in memory: how they are kept, read and changed; see `core.storage.ledger.Ledger`."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from core.storage.items import OPEN_STATES, Item, ItemCount, ItemState, Lease, NewItem, Sighting
from core.storage.ledger_rows import clean
from core.storage.outbox_memory import MemoryOutbox

ENDED_OTHERWISE = (ItemState.REPEATED, ItemState.REFUSED, ItemState.FAILED)


class MemoryItems(MemoryOutbox):
    """Items, sightings, tombstones and objects to delete."""

    def __init__(self) -> None:
        super().__init__()
        self._items: dict[int, Item] = {}
        self._ids: dict[str, int] = {}
        self._sightings: dict[int, dict[Sighting, None]] = {}
        self._next_id = itertools.count(1)
        self._paused: set[str] = set()
        self._tombstones: set[tuple[str, str | None]] = set()
        self._doomed: dict[str, None] = {}

    def paused(self) -> frozenset[str]:
        """The sources that are paused."""
        return frozenset(self._paused)

    def item(self, item_id: int) -> Item | None:
        """One item."""
        return self._items.get(item_id)

    def items(
        self, limit: int, *, source: str | None = None, state: ItemState | None = None, code: str | None = None
    ) -> list[Item]:
        """The items changed last, newest first."""
        with self._lock:
            chosen = [
                item
                for item in self._items.values()
                if source in {None, item.source} and state in {None, item.state} and code in {None, item.code}
            ]
        return sorted(chosen, key=lambda item: (item.updated_at, item.item_id), reverse=True)[:limit]

    def of_video(self, video_id: str) -> list[Item]:
        """The items of a video, repeats included, oldest first."""
        with self._lock:
            return [item for item in self._items.values() if item.video_id == video_id]

    def sightings(self, item_id: int) -> list[Sighting]:
        """When and where an item was met, oldest first."""
        with self._lock:
            return sorted(self._sightings.get(item_id, ()), key=lambda sighting: sighting.seen_at)

    def counts(self) -> list[ItemCount]:
        """All items, by source, state and code."""
        with self._lock:
            found = Counter((item.source, item.state, item.code) for item in self._items.values())
        return [ItemCount(*key, count) for key, count in sorted(found.items(), key=lambda pair: str(pair[0]))]

    def oldest_waiting(self) -> datetime | None:
        """When the oldest open item was found, paused sources included; None without one."""
        with self._lock:
            return min((item.found_at for item in self._items.values() if item.state in OPEN_STATES), default=None)

    def ping(self) -> None:
        """Memory always answers."""

    def close(self) -> None:
        """Nothing to let go of."""

    def _note(self, new: NewItem) -> None:
        if new.item_key not in self._ids:
            marks = (("item_key", new.item_key), ("video_id", new.video_id))
            if self._is_forgotten(*marks, ("sha256", new.item_key.removeprefix("sha256:"))):
                return
            item_id, now = next(self._next_id), utc_now()
            fields: dict[str, Any] = {name: value for name, value in vars(new).items() if name != "sighting"}
            fields |= {"caption": clean(new.caption), "found_at": now, "updated_at": now, "next_try": now}
            self._items[item_id] = Item(item_id=item_id, source=new.sighting.source, state=ItemState.FOUND, **fields)
            self._ids[new.item_key] = item_id
            self._sightings[item_id] = {}
        self._sightings[self._ids[new.item_key]].setdefault(new.sighting)

    def _is_due(self, item: Item, host: str | None, *, any_host: bool) -> bool:
        return (
            item.state in OPEN_STATES
            and item.next_try <= utc_now()
            and (item.lease_until is None or item.lease_until < utc_now())
            and (any_host or item.host in {None, host})
            and item.source not in self._paused
        )

    def _lease(self, item_id: int, lease: Lease) -> Item:
        until = utc_now() + timedelta(seconds=lease.lease_s)
        self._items[item_id] = replace(self._items[item_id], lease_owner=lease.owner, lease_until=until)
        return self._items[item_id]

    def _holds(self, owner: str, item_id: int, states: Sequence[ItemState]) -> bool:
        item = self._items.get(item_id)
        return item is not None and item.lease_owner == owner and item.state in states

    def _is_forgotten(self, *marks: tuple[str, str | None]) -> bool:
        return any(mark[1] is not None and mark in self._tombstones for mark in marks)

    def _change(self, item_id: int, **changes: Any) -> None:  # noqa: ANN401 - fields of an item
        before = self._items[item_id]
        after = replace(before, updated_at=utc_now(), **changes)
        self._items[item_id] = after
        if before.media_uri and (after.media_uri != before.media_uri or after.state in ENDED_OTHERWISE):
            self._doomed.setdefault(before.media_uri)

    def _is_needed(self, uri: str) -> bool:
        return any(item.media_uri == uri and item.state not in ENDED_OTHERWISE for item in self._items.values())


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)
