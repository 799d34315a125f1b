"""Files and texts on this machine → the ledger, many at a time: inspected, announced, stored, posted; a relay sends."""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from core.clock import Clock, SystemClock
from core.errors import DeliveryFailed, DependencyError, InputError, StoreUnavailable
from core.health import Health
from core.media.cage import Cage
from core.settings import Settings
from core.storage.items import OPEN_STATES, Content, Failure, Item, ItemState, Lease
from core.storage.ledger import Ledger
from core.storage.ledger_pg import PostgresLedger
from core.storage.media import S3Media
from core.storage.ports import MediaStore
from core.telemetry import INGESTED_BYTES, ITEMS_DONE
from ingestion.crew import Crew
from ingestion.draft import Draft, Line, Post, Taken, file_item, line_item
from ingestion.event import event_of, video_id
from ingestion.inspect import Inspector
from ingestion.relay import Relay

__all__ = ["Intake", "Line", "Post", "Taken", "open_intake"]

LEASE_S = 15.0
"""Renewed while the process lives; so soon another may go on with what it was killed at."""
BUSY_S = 0.5
THREADS = 4


@dataclass(frozen=True)
class Shelf:
    """Where objects go, and what may go there."""

    media: MediaStore
    bucket: str
    inspector: Inspector


class Intake:
    """Takes lines in, batch by batch; one thread uses it."""

    def __init__(self, ledger: Ledger, shelf: Shelf, *, lease: Lease, clock: Clock) -> None:
        self._ledger = ledger
        self._shelf = shelf
        self._lease = lease
        self._clock = clock
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="intake")

    def take(self, lines: Sequence[Line]) -> list[Taken]:
        """Post a batch; returns once all that was accepted is in the ledger, with its event on the way.

        The same video_id again, or without one the same bytes, is the same item and not posted again.

        Raises:
            StoreUnavailable, ObjectsUnavailable: take the same batch again; what was done is not done twice.
        """
        drafts = list(self._pool.map(self._inspect, lines))
        try:
            self._find([draft for draft in drafts if draft.refusal is None])
            held = self._held(drafts)
            self._announce(held)
            list(self._pool.map(self._store, held))
            self._post([draft for draft in held if draft.refusal is None])
            self._refuse([draft for draft in drafts if draft.refusal is not None])
        except DependencyError:
            with suppress(StoreUnavailable):
                self._ledger.release(self._lease.owner)
            raise
        finally:
            for draft in drafts:
                draft.drop()
        return [draft.taken() for draft in drafts]

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown()

    def _inspect(self, line: Line) -> Draft:
        draft, (path, _) = Draft(line), line
        try:
            draft.video = draft.opened.enter_context(self._shelf.inspector.inspected(path)) if path else None
        except InputError as error:
            draft.refusal = Failure(error.code, error.message)
        return draft

    def _find(self, drafts: Sequence[Draft]) -> None:
        """Note them, and wait for what a killed process still holds."""
        now, waited_s = self._clock.now(), 0.0
        paused = self._ledger.paused()
        while drafts:
            items = self._ledger.found([line_item(draft, now) for draft in drafts], lease=self._lease)
            for draft, item in zip(drafts, items, strict=True):
                draft.item = item
            drafts = [draft for draft in drafts if self._is_busy(draft) and draft.source not in paused]
            if waited_s > 2 * self._lease.lease_s:
                return
            if drafts:
                time.sleep(BUSY_S)
                waited_s += BUSY_S

    def _is_busy(self, draft: Draft) -> bool:
        item = draft.item
        return item is not None and item.state in OPEN_STATES and item.lease_owner != self._lease.owner

    def _held(self, drafts: Iterable[Draft]) -> list[Draft]:
        """Those that are ours to post: of several with one key, the first."""
        ours = (draft for draft in drafts if draft.item and draft.item.lease_owner == self._lease.owner)
        by_item: dict[int, Draft] = {}
        for draft in ours:
            by_item.setdefault(draft.item.item_id if draft.item else 0, draft)
        return list(by_item.values())

    def _announce(self, held: Sequence[Draft]) -> None:
        contents = [self._content(draft, draft.item) for draft in held if draft.item]
        known = {item.item_id: item for item in self._ledger.fetched(self._lease.owner, contents)}
        for draft in held:
            draft.item = known.get(draft.item.item_id, draft.item) if draft.item else None
            try:
                event_of(draft.item) if draft.item else None
            except InputError as error:
                draft.refusal = Failure(error.code, error.message)

    def _content(self, draft: Draft, item: Item) -> Content:
        video = draft.video
        named = video_id(item.platform or "local", video.sha256[:20] if video else item.item_key.rpartition(":")[2])
        if video is None:
            return Content(item.item_id, item.video_id or named)
        return Content(
            item_id=item.item_id,
            video_id=item.video_id or named,
            sha256=video.sha256,
            size_bytes=video.size_bytes,
            content_type=video.content_type,
            media_uri=f"s3://{self._shelf.bucket}/{video.object_key}",
        )

    def _store(self, draft: Draft) -> None:
        item, video = draft.item, draft.video
        if video is None or item is None or item.state is not ItemState.FETCHED or draft.refusal:
            return
        if self._shelf.media.size_bytes(self._shelf.bucket, video.object_key) != video.size_bytes:
            self._shelf.media.put_file(self._shelf.bucket, video.object_key, video.handle, video.content_type)
            INGESTED_BYTES.labels(item.source).inc(video.size_bytes)
        try:
            # Says whether the file stayed as it was while it was stored.
            draft.opened.close()
        except InputError as error:
            draft.refusal = Failure(error.code, error.message)

    def _post(self, held: Sequence[Draft]) -> None:
        going_on = {draft.item.item_id: draft for draft in held if draft.item and draft.item.state in OPEN_STATES}
        self._ledger.stored(self._lease.owner, list(going_on))
        posts = [(item_id, event_of(draft.item)) for item_id, draft in going_on.items() if draft.item]
        for item in self._ledger.posted(self._lease.owner, posts):
            draft = going_on[item.item_id]
            draft.item, draft.is_new = item, item.state is ItemState.POSTED
            ITEMS_DONE.labels(item.source, item.state.value, item.code or "").inc()

    def _refuse(self, drafts: Sequence[Draft]) -> None:
        """End what was announced; what was not becomes an item of its own, so that nothing is refused unseen."""
        for draft in drafts:
            refusal = draft.refusal
            if draft.item is None:
                (draft.item,) = self._ledger.found([file_item(draft, self._clock.now())], lease=self._lease)
            if refusal is not None:
                self._ledger.refused(self._lease.owner, draft.item.item_id, refusal)
                ITEMS_DONE.labels(draft.source, ItemState.REFUSED.value, refusal.code).inc()


@contextmanager
def open_intake(settings: Settings, *, owner: str) -> Iterator[Intake]:
    """An intake on the platform's stores, with a relay beside it; leaving the block proves that every event is sent.

    Raises:
        DeliveryFailed, BrokerUnavailable: at the end; the events wait in the ledger, and any relay sends them.
    """
    lease, crew = Lease(owner, LEASE_S), Crew(Health())
    with closing(PostgresLedger(settings.store)) as ledger, closing(Cage(settings.decode)) as cage:
        relay = Relay(ledger, settings.kafka, owner=owner)
        shelf = Shelf(S3Media(settings.media), settings.media.bucket, Inspector(cage, settings.decode))
        crew.add("leases", partial(_renew, ledger, lease), idle_s=LEASE_S / 4)
        crew.add("relay", lambda: relay.turn() > 0, idle_s=0.1)
        try:
            with closing(Intake(ledger, shelf, lease=lease, clock=SystemClock())) as intake:
                yield intake
        finally:
            is_quiet = crew.finish(settings.kafka.request_timeout_s)
        if not is_quiet:
            raise DeliveryFailed("the broker does not answer; the events wait in the ledger: see clipwarden doctor")
        relay.finish()


def _renew(ledger: Ledger, lease: Lease) -> bool:
    ledger.renew(lease)
    return False
