"""The ledger: every item that ingestion ever met, what became of it, and the events that still have to leave.

An item is a link, a file or an upload. It goes found → fetched → stored → posted, or ends otherwise with a code.
Whoever works on one holds a lease on it; a worker that dies loses its leases by time alone.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from core.events import VideoPosted
from core.storage.items import (
    OPEN_STATES,
    Content,
    Delivery,
    Failure,
    Forgotten,
    Item,
    ItemCount,
    ItemState,
    Lease,
    NewItem,
    Outgoing,
    Sighting,
    Waiting,
)

__all__ = [
    "OPEN_STATES",
    "Content",
    "Delivery",
    "Failure",
    "Forgotten",
    "Item",
    "ItemCount",
    "ItemState",
    "Lease",
    "Ledger",
    "NewItem",
    "Outgoing",
    "Sighting",
    "Waiting",
]


class Ledger(Protocol):
    """Every call is one transaction and may be made again with the same arguments.

    A worker's call changes only items on which it still holds the lease: one that was slower than its lease changes
    nothing. All raise StoreUnavailable when the database does not answer; nothing was changed then, or all of it.
    """

    def found(self, items: Sequence[NewItem], *, lease: Lease | None = None) -> list[Item]:
        """Note items and their sightings; those known before only gain the sighting.

        Args:
            items: any number; item_keys may repeat.
            lease: claim those of them that are open, due and free; those then have this `lease_owner`.

        Returns:
            One for each given, in order; one that was forgotten comes back refused, with item_id 0, and is not kept.
        """
        ...

    def claim(
        self, lease: Lease, *, limit: int, states: Sequence[ItemState] = OPEN_STATES, host: str | None = None
    ) -> list[Item]:
        """Take items that are due, free, of no paused source, and reachable from `host`; the longest due first.

        An item whose workers died too often is not given out again but fails with `ingest.crashed`.
        """
        ...

    def renew(self, lease: Lease) -> None:
        """Keep everything this owner holds for `lease_s` from now."""
        ...

    def release(self, owner: str, item_ids: Sequence[int] | None = None) -> None:
        """Give items back untouched, to be claimed at once; None: all that this owner holds."""
        ...

    def fetched(self, owner: str, contents: Sequence[Content]) -> list[Item]:
        """Note what the items' bytes are and announce their objects, before these are put.

        Returns:
            Those still held, as they are now: `fetched` (go on), `repeated` (posted already: the same bytes or
            video_id), or `refused` with `ingest.forgotten`.
        """
        ...

    def stored(self, owner: str, item_ids: Sequence[int]) -> None:
        """Note that the store confirmed the items' objects."""
        ...

    def posted(self, owner: str, posts: Sequence[tuple[int, VideoPosted]]) -> list[Item]:
        """Finish items whose objects are stored, or that have none, and write each event to the outbox exactly once.

        Returns:
            Those still held, as they are now: `posted`, or as from `fetched`, without an event.
        """
        ...

    def refused(self, owner: str, item_id: int, failure: Failure) -> None:
        """End an item for good."""
        ...

    def later(
        self, owner: str, item_id: int, failure: Failure, *, next_try: datetime, max_attempts: int
    ) -> ItemState | None:
        """Count a failure and try again at an instant, or end as `failed` with the last attempt; None: not held."""
        ...

    def retry(self, *, source: str | None = None, code: str | None = None, item_id: int | None = None) -> int:
        """Open refused and failed items again, with all their attempts; returns how many."""
        ...

    def pause(self, source: str, by: str) -> None:
        """Give out no item of a source any more."""
        ...

    def resume(self, source: str) -> None:
        """Give out items of a source again."""
        ...

    def paused(self) -> frozenset[str]:
        """The sources that are paused."""
        ...

    def outgoing(self, lease: Lease, *, limit: int) -> list[Outgoing]:
        """Take events nobody tried to send yet and mark them as being sent by this owner; the oldest first."""
        ...

    def stranded(self, lease: Lease, *, limit: int) -> list[Outgoing]:
        """Take events whose sender did not come back: whether they are on the topic, only the topic can tell."""
        ...

    def offsets_before(self, outbox_ids: Sequence[int]) -> dict[int, int]:
        """Per partition the highest offset known to be delivered before the first of these began to be sent."""
        ...

    def sent(self, deliveries: Sequence[Delivery]) -> None:
        """Note that events are on the topic."""
        ...

    def unsent(self, owner: str, outbox_ids: Sequence[int]) -> None:
        """Note that events this owner holds are not on the topic: they wait again."""
        ...

    def waiting_events(self) -> Waiting:
        """The events of posted items that are not known to be on the topic."""
        ...

    def item(self, item_id: int) -> Item | None:
        """One item."""
        ...

    def items(
        self, limit: int, *, source: str | None = None, state: ItemState | None = None, code: str | None = None
    ) -> list[Item]:
        """The items changed last, newest first."""
        ...

    def of_video(self, video_id: str) -> list[Item]:
        """The items of a video, repeats included, oldest first."""
        ...

    def sightings(self, item_id: int) -> list[Sighting]:
        """When and where an item was met, oldest first."""
        ...

    def counts(self) -> list[ItemCount]:
        """All items, by source, state and code."""
        ...

    def oldest_waiting(self) -> datetime | None:
        """When the oldest open item was found, paused sources included; None without one."""
        ...

    def forget(self, video_id: str, by: str) -> Forgotten:
        """Erase a video from every table and leave a tombstone: none of its items, ids or bytes is taken in again.

        Its objects are deleted by `remove_doomed`. What topics hold ends with their retention. May be called again:
        what came back in the meantime is erased as well.
        """
        ...

    def came_back(self, limit: int = 100) -> list[str]:
        """The video_ids that were forgotten and have a verdict again: their events were on the topic still."""
        ...

    def remove_doomed(self, delete: Callable[[str], None], *, limit: int = 100) -> int:
        """Delete objects that no item needs any more and no stored video shows.

        Args:
            delete: deletes the object of an `s3://` URI; while it runs nobody can announce the same object.
            limit: at most so many.

        Returns:
            How many are gone.
        """
        ...

    def known_objects(self, uris: Sequence[str]) -> frozenset[str]:
        """Which of these objects an open or posted item, a verdict or a dead letter refers to, or are to be deleted."""
        ...

    def ping(self) -> None:
        """Raise StoreUnavailable when the database does not answer."""
        ...

    def close(self) -> None:
        """Let go of the pool."""
        ...
