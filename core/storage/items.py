"""What the ledger of ingestion holds: items, sightings, leases, events on their way; see `core.storage.ledger`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


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


@dataclass(frozen=True, kw_only=True)
class Described:
    """What is told of a video, as far as it is known."""

    caption: str | None = None
    hashtags: tuple[str, ...] = ()
    author_id: str | None = None
    platform: str | None = None
    language: str | None = None
    posted_at: datetime | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NewItem(Described):
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


@dataclass(frozen=True)
class Content(Described):
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


@dataclass(frozen=True)
class Item(Described):
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
class Waiting:
    """What has not left yet: how many events, the oldest of them since when."""

    events: int
    since: datetime | None


@dataclass(frozen=True)
class Forgotten:
    """What `forget` erased: rows over all tables, objects that are now to be deleted."""

    rows: int
    objects: int
