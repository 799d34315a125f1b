"""A request that was read → the ledger: each post once, whatever a caller, a gateway or the network does in between.

Blocking; called from the gateway's threads.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.clock import Clock
from core.errors import InputError
from core.errors_ingest import IngestForgotten
from core.storage.ledger import (
    OPEN_STATES,
    Content,
    Failure,
    Item,
    ItemState,
    Lease,
    Ledger,
    NewItem,
    Sighting,
)
from ingestion.event import event_of
from ingestion.gateway.fields import PostFields
from ingestion.gateway.refusals import IdempotencyConflict, RequestInProgress, SourcePaused

SOURCE = "gateway"
PLATFORM = "upload"
"""Where a video comes from whose caller does not say."""

LEASE_S = 120.0
"""Longer than a store takes to join the parts of the largest object."""

_DIGEST = "request_sha256"


@dataclass(frozen=True)
class Arrival:
    """One request to post.

    Attributes:
        item_key: the same for the same request sent again.
        digest: of all that it says; what tells a repeat from another request under the same key.
        link: as it is fetched; None for a file or a text.
        is_bound: its caller gave an idempotency key.
    """

    item_key: str
    digest: str
    fields: PostFields
    key_id: str
    link: str | None = None
    is_bound: bool = False


@dataclass(frozen=True)
class Media:
    """A file that was received and judged.

    Attributes:
        store: makes the announced object, and returns once the store confirmed it.
    """

    uri: str
    sha256: str
    size_bytes: int
    content_type: str
    store: Callable[[str], None]


@dataclass(frozen=True)
class Taken:
    """What became of a request; `is_replay`: it was answered before, and nothing happened now."""

    item: Item
    is_replay: bool


class Reception:
    """Notes posts in the ledger; safe to share between threads.

    What fails half-way keeps its lease: the caller, who has the bytes, may come again before a worker looks for them.

    Args:
        owner: of its leases; the same after a restart, so that a caller goes on where a killed gateway stopped.
        tool: what to note as having met the video.
    """

    def __init__(self, ledger: Ledger, *, owner: str, clock: Clock, tool: str) -> None:
        self._ledger = ledger
        self._lease = Lease(owner, LEASE_S)
        self._clock = clock
        self._tool = tool
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    def check_open(self) -> None:
        """Raise SourcePaused while an operator has paused this source."""
        if SOURCE in self._ledger.paused():
            raise SourcePaused("an operator paused the gateway; send it again later")

    def take(self, arrival: Arrival, media: Media | None) -> Taken:
        """Post a video, or a text without one.

        Raises:
            IdempotencyConflict: the idempotency key stands for another request.
            RequestInProgress: somebody else works on the same one right now.
            IngestForgotten: it was erased on request.
            StoreUnavailable, ObjectsUnavailable: ask again; what was begun is gone on with.
        """
        with self._alone(arrival):
            item = self._claimed(arrival, media_uri=media.uri if media else None)
            if item.state in (ItemState.REFUSED, ItemState.FAILED):
                # It is whole and good now; before, its bytes may never have come, or its judge was stopped.
                self._ledger.retry(item_id=item.item_id)
                item = self._claimed(arrival, media_uri=None)
            if item.state not in OPEN_STATES:
                return Taken(item, is_replay=True)
            return Taken(self._post(item, arrival, media), is_replay=False)

    def refuse(self, arrival: Arrival, error: InputError) -> None:
        """Note that a file was no video that we take; one that was taken before stays so.

        Raises:
            IdempotencyConflict: the idempotency key stands for another request.
        """
        with self._alone(arrival):
            item = self._claimed(arrival, media_uri=None)
            self._ledger.refused(self._lease.owner, item.item_id, Failure(error.code, error.message))

    def link(self, arrival: Arrival) -> Taken:
        """Note a link; a worker fetches it, and its state tells how that went.

        Raises:
            IdempotencyConflict, IngestForgotten: as from `take`.
        """
        item = _kept(self._ledger.found([self._new(arrival, media_uri=None)])[0])
        # Without an idempotency key two callers may name the same link, each with words of its own.
        if arrival.is_bound:
            _check_same(item, arrival)
        return Taken(item, is_replay=False)

    def _claimed(self, arrival: Arrival, *, media_uri: str | None) -> Item:
        """Its item: held by us if it is open, else as it ended."""
        item = _kept(self._ledger.found([self._new(arrival, media_uri=media_uri)], lease=self._lease)[0])
        _check_same(item, arrival)
        if item.state in OPEN_STATES and item.lease_owner != self._lease.owner:
            wait_s = (item.next_try - self._clock.now()).total_seconds()
            raise RequestInProgress("a worker looks for what is left of the same request; ask again", wait_s)
        return item

    def _new(self, arrival: Arrival, *, media_uri: str | None) -> NewItem:
        fields = arrival.fields
        return NewItem(
            item_key=arrival.item_key,
            sighting=Sighting(self._clock.now(), SOURCE, link=arrival.link, tool=self._tool),
            link=arrival.link,
            media_uri=media_uri,
            video_id=fields.video_id,
            is_distinct=fields.video_id is not None,
            caption=fields.caption,
            hashtags=fields.hashtags,
            author_id=fields.author_id,
            platform=fields.platform or (None if arrival.link else PLATFORM),
            language=fields.language,
            posted_at=fields.posted_at or (None if arrival.link else self._clock.now()),
            provenance={_DIGEST: arrival.digest, "api_key": arrival.key_id},
        )

    def _post(self, item: Item, arrival: Arrival, media: Media | None) -> Item:
        owner = self._lease.owner
        if item.state is not ItemState.STORED:
            item = _still(self._ledger.fetched(owner, [_content(item, arrival, media)]))
            if item.state is not ItemState.FETCHED:
                return _kept(item)
            if media is not None:
                media.store(media.content_type)
            self._ledger.stored(owner, [item.item_id])
        return _kept(_still(self._ledger.posted(owner, [(item.item_id, event_of(item))])))

    @contextmanager
    def _alone(self, arrival: Arrival) -> Iterator[None]:
        """One request of a kind at a time: all of this process share a lease."""
        with self._lock:
            if arrival.item_key in self._under_way:
                raise RequestInProgress("the first of these requests is still under way; ask again")
            self._under_way.add(arrival.item_key)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.discard(arrival.item_key)


def _kept(item: Item) -> Item:
    if item.state is ItemState.REFUSED and item.code == IngestForgotten.code:
        raise IngestForgotten("it was erased on request and is not taken in again")
    return item


def _check_same(item: Item, arrival: Arrival) -> None:
    if item.provenance.get(_DIGEST) != arrival.digest:
        raise IdempotencyConflict("this idempotency key was used for another request; use a new one")


def _still(items: list[Item]) -> Item:
    if not items:
        raise RequestInProgress("it took so long that somebody else took it over; ask for its state")
    return items[0]


def _content(item: Item, arrival: Arrival, media: Media | None) -> Content:
    own = hashlib.sha256(arrival.item_key.encode()).hexdigest()[:24]
    video_id = arrival.fields.video_id or f"{SOURCE}:{own}"
    if media is None:
        return Content(item.item_id, video_id)
    return Content(
        item.item_id,
        video_id,
        sha256=media.sha256,
        size_bytes=media.size_bytes,
        content_type=media.content_type,
        media_uri=media.uri,
    )
