"""The ledger of one process, forgotten at its end: the same promises without a database."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from core.errors_ingest import IngestForgotten, IngestRepeat
from core.events import VideoPosted
from core.storage.items import OPEN_STATES, Content, Failure, Forgotten, Item, ItemState, Lease, NewItem
from core.storage.items_memory import MemoryItems, utc_now
from core.storage.ledger_rules import FORGOTTEN_MESSAGE, Fate, forgotten_item

_TAKEN = ("video_id", "sha256", "size_bytes", "content_type", "media_uri")
_KEPT = ("caption", "hashtags", "author_id", "platform", "language", "posted_at")


class MemoryLedger(MemoryItems):
    """Safe to share between threads."""

    def found(self, items: Sequence[NewItem], *, lease: Lease | None = None) -> list[Item]:
        """Note items and their sightings; those known before only gain the sighting."""
        with self._lock:
            for item in items:
                self._note(item)
            ids = [self._ids.get(item.item_key) for item in items]
            for item_id in ids:
                if lease and item_id is not None and self._is_due(self._items[item_id], None, any_host=True):
                    self._lease(item_id, lease)
            return [
                forgotten_item(item) if item_id is None else self._items[item_id]
                for item, item_id in zip(items, ids, strict=True)
            ]

    def claim(
        self, lease: Lease, *, limit: int, states: Sequence[ItemState] = OPEN_STATES, host: str | None = None
    ) -> list[Item]:
        """Take items that are due, free, of no paused source, and reachable from `host`; the longest due first."""
        with self._lock:
            due = [i for i in self._items.values() if i.state in states and self._is_due(i, host, any_host=False)]
            due.sort(key=lambda item: (item.next_try, item.item_id))
            return [self._lease(item.item_id, lease) for item in due[:limit]]

    def renew(self, lease: Lease) -> None:
        """Keep everything this owner holds for `lease_s` from now."""
        with self._lock:
            for item in list(self._items.values()):
                if item.lease_owner == lease.owner:
                    self._lease(item.item_id, lease)

    def release(self, owner: str, item_ids: Sequence[int] | None = None) -> None:
        """Give items back untouched; None: all that this owner holds."""
        with self._lock:
            for item in list(self._items.values()):
                if item.lease_owner == owner and (item_ids is None or item.item_id in item_ids):
                    self._items[item.item_id] = replace(item, lease_owner=None, lease_until=None)

    def fetched(self, owner: str, contents: Sequence[Content]) -> list[Item]:
        """Note what the items' bytes are and announce their objects, before these are put."""
        with self._lock:
            held = [c for c in contents if self._holds(owner, c.item_id, (ItemState.FOUND, ItemState.FETCHED))]
            for content in held:
                if not self._end(self._fate(content.item_id, content.video_id, content.sha256)):
                    self._change(
                        content.item_id, state=ItemState.FETCHED, **_told(self._items[content.item_id], content)
                    )
            return [self._items[content.item_id] for content in held]

    def stored(self, owner: str, item_ids: Sequence[int]) -> None:
        """Note that the store confirmed the items' objects."""
        with self._lock:
            for item_id in item_ids:
                if self._holds(owner, item_id, (ItemState.FETCHED,)):
                    self._change(item_id, state=ItemState.STORED)

    def posted(self, owner: str, posts: Sequence[tuple[int, VideoPosted]]) -> list[Item]:
        """Finish items and write their events to the outbox, each exactly once."""
        with self._lock:
            held = sorted((post for post in posts if self._may_be_posted(owner, post[0])), key=lambda post: post[0])
            for item_id, event in held:
                item = self._items[item_id]
                if not self._end(self._fate(item_id, item.video_id, item.sha256)):
                    self._end_as(item_id, ItemState.POSTED, None)
                    self._put(item_id, event)
            return [self._items[item_id] for item_id, _ in held]

    def refused(self, owner: str, item_id: int, failure: Failure) -> None:
        """End an item for good."""
        with self._lock:
            if self._holds(owner, item_id, OPEN_STATES):
                self._end_as(item_id, ItemState.REFUSED, failure)

    def later(
        self, owner: str, item_id: int, failure: Failure, *, next_try: datetime, max_attempts: int
    ) -> ItemState | None:
        """Count a failure and try again at an instant, or end as `failed` with the last attempt; None: not held."""
        with self._lock:
            if not self._holds(owner, item_id, OPEN_STATES):
                return None
            item = self._items[item_id]
            state = ItemState.FAILED if item.attempts + 1 >= max_attempts else item.state
            self._end_as(item_id, state, failure)
            self._change(item_id, attempts=item.attempts + 1, next_try=next_try)
            return state

    def retry(self, *, source: str | None = None, code: str | None = None, item_id: int | None = None) -> int:
        """Open refused and failed items again, with all their attempts; returns how many."""
        with self._lock:
            chosen = [
                item.item_id
                for item in self._items.values()
                if item.state in {ItemState.REFUSED, ItemState.FAILED}
                and item.code != IngestForgotten.code
                and source in {None, item.source}
                and code in {None, item.code}
                and item_id in {None, item.item_id}
            ]
            for one in chosen:
                self._change(one, state=ItemState.FOUND, attempts=0, code=None, message=None, next_try=utc_now())
            return len(chosen)

    def pause(self, source: str, by: str) -> None:
        """Give out no item of a source any more."""
        del by
        self._paused.add(source)

    def resume(self, source: str) -> None:
        """Give out items of a source again."""
        self._paused.discard(source)

    def forget(self, video_id: str, by: str) -> Forgotten:
        """Erase a video and leave a tombstone."""
        del by
        with self._lock:
            erased = self.of_video(video_id)
            self._tombstones.add(("video_id", video_id))
            for item in erased:
                self._tombstones |= {("item_key", item.item_key), ("sha256", item.sha256)}
                del self._items[item.item_id], self._ids[item.item_key], self._sightings[item.item_id]
                self._outbox.pop(item.item_id, None)
            objects = {item.media_uri for item in erased if item.media_uri}
            self._doomed.update(dict.fromkeys(objects))
        return Forgotten(len(erased), len(objects))

    def came_back(self, limit: int = 100) -> list[str]:
        """None: there are no verdicts here."""
        del limit
        return []

    def remove_doomed(self, delete: Callable[[str], None], *, limit: int = 100) -> int:
        """Delete objects that no item needs any more."""
        with self._lock:
            chosen = list(self._doomed)[:limit]
            for uri in chosen:
                if not self._is_needed(uri):
                    delete(uri)
                del self._doomed[uri]
            return len(chosen)

    def known_objects(self, uris: Sequence[str]) -> frozenset[str]:
        """Which of these objects an item needs, or are to be deleted."""
        with self._lock:
            return frozenset(uri for uri in uris if uri in self._doomed or self._is_needed(uri))

    def _fate(self, item_id: int, video_id: str | None, sha256: str | None) -> Fate:
        item = self._items[item_id]
        is_forgotten = self._is_forgotten(("item_key", item.item_key), ("video_id", video_id), ("sha256", sha256))
        same_bytes = None if item.is_distinct else sha256
        posted = (other for other in self._items.values() if other.state is ItemState.POSTED and other is not item)
        twins = (
            other.video_id
            for other in posted
            if other.video_id == video_id or (same_bytes and other.sha256 == same_bytes and not other.is_distinct)
        )
        return Fate(item_id, is_forgotten, next(twins, None), video_id, same_bytes)

    def _may_be_posted(self, owner: str, item_id: int) -> bool:
        states = (ItemState.STORED, ItemState.FETCHED)
        return self._holds(owner, item_id, states) and (
            self._items[item_id].state is ItemState.STORED or self._items[item_id].media_uri is None
        )

    def _end(self, fate: Fate) -> bool:
        if fate.is_forgotten:
            self._end_as(fate.item_id, ItemState.REFUSED, Failure(IngestForgotten.code, FORGOTTEN_MESSAGE))
            self._change(fate.item_id, caption=None, author_id=None, hashtags=())
        elif fate.twin is not None:
            self._end_as(fate.item_id, ItemState.REPEATED, Failure(IngestRepeat.code, ""))
            self._change(fate.item_id, video_id=fate.twin, message=None)
        return fate.is_forgotten or fate.twin is not None

    def _end_as(self, item_id: int, state: ItemState, failure: Failure | None) -> None:
        code, message = (failure.code, failure.message) if failure else (None, None)
        self._change(item_id, state=state, code=code, message=message, lease_owner=None, lease_until=None)


def _told(item: Item, content: Content) -> dict[str, Any]:
    told = asdict(content)
    kept = {name: told[name] or getattr(item, name) for name in _KEPT}
    provenance = {**item.provenance, **content.provenance}
    return {**{name: told[name] for name in _TAKEN}, **kept, "provenance": provenance, "code": None, "message": None}
