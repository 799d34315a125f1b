"""The ledger: every item that ingestion ever met, what became of it, and the events that still have to leave.

An item is a link, a file or an upload. It goes found → fetched → stored → posted, or ends otherwise with a code.
Whoever works on one holds a lease on it; a worker that dies loses its leases by time alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from core.events import VideoPosted


class ItemState(StrEnum):
    """How far an item came."""

    FOUND = "found"
    FETCHED = "fetched"
    """Its bytes are known and inspected, and its object is announced: it may exist from now on."""
    STORED = "stored"
    """The store confirmed the object."""
    POSTED = "posted"
    REPEATED = "repeated"
    """Another item is the same video; `video_id` names it."""
    REFUSED = "refused"
    FAILED = "failed"
    """Tried as often as allowed."""


OPEN_STATES = (ItemState.FOUND, ItemState.FETCHED, ItemState.STORED)
"""An item in one of these still has to be worked on."""


@dataclass(frozen=True)
class Sighting:
    """One time that an item was met; kept for ever, whatever becomes of the item.

    Attributes:
        source: crawl, download, produce, watch, gateway, ...: what pauses and what metrics count by.
        label: what the list that named it says of it: provenance, never truth.
        tool: what found it, with its version; `terms` the note on what may be done with it.
    """

    seen_at: datetime
    source: str
    link: str | None = None
    hashtag: str | None = None
    label: str | None = None
    tool: str | None = None
    terms: str | None = None


@dataclass(frozen=True)
class NewItem:
    """Something to bring in.

    Attributes:
        item_key: says when two are the same item: `tiktok:7301`, `sha256:ab12`, `link:<normalised url>`,
            `upload:<api key id>:<idempotency key>`, or the video_id a producer chose.
        link: where it can be fetched; `path` where it lies, on `host`; `media_uri` the object it is uploaded into.
        video_id: where it is known beforehand.
        is_distinct: a video of its own although others have the same bytes: whoever sent it named it.
    """

    item_key: str
    sighting: Sighting
    link: str | None = None
    path: str | None = None
    host: str | None = None
    media_uri: str | None = None
    video_id: str | None = None
    is_distinct: bool = False
    caption: str | None = None
    hashtags: tuple[str, ...] = ()
    author_id: str | None = None
    platform: str | None = None
    language: str | None = None
    posted_at: datetime | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Content:
    """What fetching and inspecting an item told; None in a descriptive field keeps what was known before.

    Attributes:
        video_id: the id under which it is posted.
        sha256: of the bytes; None (as are size, type and media_uri) for a post without media.
        media_uri: where its object is about to be put.
    """

    item_id: int
    video_id: str
    sha256: str | None = None
    size_bytes: int | None = None
    content_type: str | None = None
    media_uri: str | None = None
    caption: str | None = None
    hashtags: tuple[str, ...] = ()
    author_id: str | None = None
    platform: str | None = None
    language: str | None = None
    posted_at: datetime | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """A row of the ledger.

    Attributes:
        item_id: 0 for one that was forgotten and is therefore not in the ledger.
        code: and `message`: why it ended so, or why it is tried again.
        attempts: failures so far.
        next_try: not before this instant.
        lease_owner: who works on it.
    """

    item_id: int
    item_key: str
    source: str
    state: ItemState
    found_at: datetime
    updated_at: datetime
    next_try: datetime
    code: str | None = None
    message: str | None = None
    attempts: int = 0
    lease_owner: str | None = None
    lease_until: datetime | None = None
    link: str | None = None
    path: str | None = None
    host: str | None = None
    video_id: str | None = None
    is_distinct: bool = False
    sha256: str | None = None
    size_bytes: int | None = None
    content_type: str | None = None
    media_uri: str | None = None
    caption: str | None = None
    hashtags: tuple[str, ...] = ()
    author_id: str | None = None
    platform: str | None = None
    language: str | None = None
    posted_at: datetime | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Lease:
    """The right to work on an item: whose, and for how long unless renewed.

    Attributes:
        owner: unique to the process, e.g. `work:host:pid:random`.
    """

    owner: str
    lease_s: float


@dataclass(frozen=True)
class Failure:
    """Why an item could not be brought in: a code of the error tree, and one line."""

    code: str
    message: str


@dataclass(frozen=True)
class Outgoing:
    """An event on its way to the topic."""

    outbox_id: int
    item_id: int
    key: bytes
    value: bytes


@dataclass(frozen=True)
class Delivery:
    """Proof that an event is on the topic."""

    outbox_id: int
    partition: int
    offset: int


@dataclass(frozen=True)
class ItemCount:
    """How many items of a source are in a state, by code."""

    source: str
    state: ItemState
    code: str | None
    items: int


@dataclass(frozen=True)
class Forgotten:
    """What `forget` erased: rows over all tables, objects that are now to be deleted."""

    rows: int
    objects: int


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
        """Finish items and write their events to the outbox, each exactly once.

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

    def waiting_events(self) -> int:
        """How many events of posted items are not known to be on the topic."""
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

    def remove_doomed(self, delete: Callable[[str], None], *, limit: int = 100) -> int:
        """Delete objects that no item needs any more.

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
