"""A request that was read → the ledger: each post once, whatever a caller, a gateway or the network does in between.

Blocking; called from the gateway's threads.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from core.clock import Clock
from core.errors import InputError, MediaError, StoreUnavailable
from core.errors_ingest import IngestForgotten
from core.events import VideoPosted
from core.storage.ledger import Content, Failure, Item, ItemState, Lease, Ledger, NewItem, Sighting
from ingestion.gateway.fields import PostFields
from ingestion.gateway.refusals import IdempotencyConflict, RequestInProgress, refusal

SOURCE = "gateway"
PLATFORM = "upload"
"""Where a video comes from whose caller does not say."""

LEASE_S = 300.0
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
    """Notes posts in the ledger; safe to share between threads."""

    def __init__(self, ledger: Ledger, *, clock: Clock, tool: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._tool = tool

    def take(self, arrival: Arrival, media: Media | None) -> Taken:
        """Post a video, or a text without one.

        Raises:
            IdempotencyConflict: the idempotency key stands for another request.
            RequestInProgress: somebody else works on the same one right now.
            IngestForgotten: it was erased on request.
            InputError: as it was refused before.
            StoreUnavailable, ObjectsUnavailable: ask again; what was begun is finished or undone then.
        """
        lease = _lease()
        item = self._found(arrival, lease, media_uri=media.uri if media else None)
        if item.lease_owner != lease.owner:
            return Taken(self._as_before(item, arrival), is_replay=True)
        with self._held(lease, item, arrival):
            return Taken(self._post(lease, item, arrival, media), is_replay=False)

    def refuse(self, arrival: Arrival, error: MediaError | InputError) -> None:
        """Note that a file was no video that we take, so that the same request gets the same answer.

        Raises:
            IdempotencyConflict: the idempotency key stands for another request.
        """
        lease = _lease()
        item = self._found(arrival, lease, media_uri=None)
        if item.lease_owner != lease.owner:
            self._as_before(item, arrival)
            return
        with self._held(lease, item, arrival):
            self._ledger.refused(lease.owner, item.item_id, Failure(error.code, error.message))

    def link(self, arrival: Arrival) -> Taken:
        """Note a link; a worker fetches it, and its state tells how that went.

        Raises:
            IdempotencyConflict, IngestForgotten: as from `take`.
        """
        item = self._ledger.found([self._new(arrival, media_uri=None)])[0]
        if _is_forgotten(item):
            raise IngestForgotten("it was erased on request and is not taken in again")
        # Without an idempotency key two callers may name the same link, each with words of its own.
        if arrival.is_bound:
            _check_same(item, arrival)
        return Taken(item, is_replay=False)

    def _found(self, arrival: Arrival, lease: Lease, *, media_uri: str | None) -> Item:
        item = self._ledger.found([self._new(arrival, media_uri=media_uri)], lease=lease)[0]
        if _is_forgotten(item):
            raise IngestForgotten("it was erased on request and is not taken in again")
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

    def _post(self, lease: Lease, item: Item, arrival: Arrival, media: Media | None) -> Item:
        if item.state is not ItemState.STORED:
            item = self._stored(lease, item, arrival, media)
        if item.state in (ItemState.FETCHED, ItemState.STORED):
            item = _still(self._ledger.posted(lease.owner, [(item.item_id, _event(item))]))
        if item.state is ItemState.REFUSED:
            raise refusal(item.code or "", item.message or "")
        return item

    def _stored(self, lease: Lease, item: Item, arrival: Arrival, media: Media | None) -> Item:
        item = _still(self._ledger.fetched(lease.owner, [_content(item, arrival, media)]))
        if item.state is ItemState.FETCHED and media is not None:
            media.store(media.content_type)
            self._ledger.stored(lease.owner, [item.item_id])
        return item

    def _as_before(self, item: Item, arrival: Arrival) -> Item:
        """The answer that the same request got."""
        _check_same(item, arrival)
        if item.state in (ItemState.REFUSED, ItemState.FAILED):
            raise refusal(item.code or "", item.message or "it was refused before")
        return item

    @contextmanager
    def _held(self, lease: Lease, item: Item, arrival: Arrival) -> Iterator[None]:
        try:
            _check_same(item, arrival)
            yield
        except BaseException:
            # The caller may come again, or a worker finishes it; neither has to wait until the lease runs out.
            with suppress(StoreUnavailable):
                self._ledger.release(lease.owner, [item.item_id])
            raise


def _lease() -> Lease:
    # One a request: two with the same idempotency key must not take each other's item for their own.
    return Lease(f"{SOURCE}:{uuid.uuid4().hex}", LEASE_S)


def _is_forgotten(item: Item) -> bool:
    return item.state is ItemState.REFUSED and item.code == IngestForgotten.code


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


def _event(item: Item) -> VideoPosted:
    return VideoPosted(
        schema_="video.posted.v1",
        video_id=item.video_id or "",
        media_uri=item.media_uri,
        caption=item.caption,
        hashtags=item.hashtags,
        author_id=item.author_id,
        platform=item.platform or PLATFORM,
        language=item.language,
        posted_at=item.posted_at or item.found_at,
        source=item.source,
        sha256=item.sha256,
    )
