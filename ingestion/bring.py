"""One item, step by step: fetched → inspected → announced → stored → posted, from wherever it stands.

Each step may be made again: the next worker goes on where a dead one stopped. An object lies under the hash of its
bytes, and is announced in the ledger before it is put, so that none is ever there that the ledger does not know.
"""

import hashlib
import os
import random
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from core.clock import Clock
from core.errors import DependencyError, IngestError, InputError, MediaCrashed, MediaTimeout, ObjectsUnavailable
from core.errors_ingest import IngestRateLimited, IngestTruncated
from core.events import MEDIA_URI
from core.settings_ingestion import IngestionSettings
from core.storage.items import Content, Failure, Item, ItemState
from core.storage.ledger import Ledger
from core.storage.ports import MediaStore
from core.telemetry import INGESTED_BYTES, ITEMS_DONE
from ingestion.event import event_of, video_id
from ingestion.fetch import Fetched, Fetcher
from ingestion.inspect import Inspected, Inspector

_PASSING = (MediaTimeout, MediaCrashed)
"""A machine under load looks to the cage like a hostile file; a few attempts tell them apart."""

_log = structlog.get_logger()


@dataclass(frozen=True)
class Site:
    """Where things lie: the bucket for objects, a folder for what is being fetched."""

    bucket: str
    work_dir: Path


class Bringer:
    """Brings one item after the other as far as it goes; safe to share between threads.

    Args:
        owner: whose leases it works under.
    """

    def __init__(
        self, ledger: Ledger, media: MediaStore, *, fetcher: Fetcher, inspector: Inspector, site: Site, owner: str
    ) -> None:
        self._ledger = ledger
        self._media = media
        self._fetcher = fetcher
        self._inspector = inspector
        self._site = site
        self._owner = owner

    def bring(self, item: Item) -> Item | None:
        """Bring an item to its end; None when somebody else has it by now.

        Raises:
            IngestError, MediaError, EventInvalid: it cannot come in, now or ever.
            DependencyError: it stays where it is.
        """
        known: Item | None = item
        if item.state is ItemState.FOUND or not self._is_there(item):
            known = self._take_in(item)
        if known is None or known.state not in (ItemState.FETCHED, ItemState.STORED):
            return known
        if known.media_uri is not None:
            self._ledger.stored(self._owner, [item.item_id])
        return _still(self._ledger.posted(self._owner, [(item.item_id, event_of(known))]))

    def _is_there(self, item: Item) -> bool:
        """Whether the announced object was put, or there is none to put."""
        if item.media_uri is None or item.state is ItemState.STORED:
            return True
        return self._media.size_bytes(*_place(item.media_uri)) == item.size_bytes

    def _take_in(self, item: Item) -> Item | None:
        if item.link is None and item.path is None and item.media_uri is None:
            return self._announce(Content(item.item_id, item.video_id or _own_id(item), platform=item.platform))
        with self._folder() as folder:
            return self._store_fetched(item, self._fetch(item, folder))

    def _store_fetched(self, item: Item, fetched: Fetched) -> Item | None:
        put: str | None = None
        try:
            with self._inspector.inspected(fetched.path) as video:
                known = self._announce(self._content(item, fetched, video))
                if known is not None and known.state is ItemState.FETCHED:
                    put = self._store(known, video)
        except IngestTruncated:
            # It was written to while it was stored: what lies there now is not what its name says.
            if put is not None:
                self._media.remove(*_place(put))
            raise
        return known

    def _fetch(self, item: Item, folder: Path) -> Fetched:
        if item.link is not None:
            return self._fetcher.fetch(item.link, folder)
        platform = item.platform or "local"
        if item.path is not None:
            return Fetched(Path(item.path), tool="file", platform=platform)
        return Fetched(self._uploaded(item, folder), tool="upload", platform=platform)

    def _uploaded(self, item: Item, folder: Path) -> Path:
        bucket, key = _place(item.media_uri or "")
        size_bytes = self._media.size_bytes(bucket, key)
        if size_bytes is None:
            raise IngestTruncated("the upload was broken off; send it again")
        self._media.fetch(bucket, key, folder / "video", max_bytes=size_bytes)
        return folder / "video"

    def _content(self, item: Item, fetched: Fetched, video: Inspected) -> Content:
        named = video_id(fetched.platform, fetched.platform_id or video.sha256[:20])
        uri = f"s3://{self._site.bucket}/{video.object_key}"
        return Content(
            item_id=item.item_id,
            video_id=item.video_id or named,
            sha256=video.sha256,
            size_bytes=video.size_bytes,
            content_type=video.content_type,
            # What was uploaded is an object already.
            media_uri=item.media_uri if item.link is None and item.path is None else uri,
            caption=fetched.caption,
            hashtags=fetched.hashtags,
            author_id=fetched.author_id,
            platform=fetched.platform,
            posted_at=fetched.posted_at,
            provenance={"tool": fetched.tool, "link": item.link},
        )

    def _announce(self, content: Content) -> Item | None:
        known = _still(self._ledger.fetched(self._owner, [content]))
        if known is not None and known.state is ItemState.FETCHED:
            # What cannot be said as an event is not worth storing.
            event_of(known)
        return known

    def _store(self, known: Item, video: Inspected) -> str | None:
        """Put the object; its address, or None if it was there."""
        bucket, key = _place(known.media_uri or "")
        if self._media.size_bytes(bucket, key) == video.size_bytes:
            return None
        self._media.put_file(bucket, key, video.handle, video.content_type)
        INGESTED_BYTES.labels(known.source).inc(video.size_bytes)
        return known.media_uri

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        self._site.work_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{_mark()}-{os.getpid()}-", dir=self._site.work_dir) as folder:
            yield Path(folder)


def sweep(work_dir: Path) -> None:
    """Delete what killed workers of this host were fetching; to be called before the first item."""
    for folder in work_dir.glob(f"{_mark()}-*-*"):
        pid = folder.name.split("-")[2]
        # In a container each life may have the same pid.
        if pid == str(os.getpid()) or not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _mark() -> str:
    # Containers may share a folder, and each has its own pids.
    return "item-" + hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


class Answers:
    """What becomes of an item that did not come in: tried again later, refused, or given back."""

    def __init__(self, ledger: Ledger, settings: IngestionSettings, *, owner: str, clock: Clock) -> None:
        self._ledger = ledger
        self._settings = settings
        self._owner = owner
        self._clock = clock

    def run(self, bringer: Bringer, item: Item) -> None:
        """Bring an item in, or note why not.

        Raises:
            DependencyError: it was given back.
        """
        try:
            done = bringer.bring(item)
        except InputError as error:
            self._failed(item, error)
        except OSError as error:
            # The disk, mostly; what was this item's doing ends with its attempts.
            self._later(item, Failure(IngestError.code, f"{error.strerror or error}; look at the disk"))
        except DependencyError:
            self._ledger.release(self._owner, [item.item_id])
            raise
        else:
            _note(item, done.state if done else None, done.code if done else None)

    def _failed(self, item: Item, error: InputError) -> None:
        failure = Failure(error.code, error.message)
        if isinstance(error, _PASSING) or (isinstance(error, IngestError) and error.is_passing):
            asked_s = error.retry_after_s if isinstance(error, IngestRateLimited) else None
            self._later(item, failure, asked_s or 0.0)
            return
        self._ledger.refused(self._owner, item.item_id, failure)
        _note(item, ItemState.REFUSED, failure.code)

    def _later(self, item: Item, failure: Failure, at_least_s: float = 0.0) -> None:
        grown_s = min(self._settings.retry_s * 2**item.attempts, self._settings.retry_max_s)
        # Jitter: what failed together is not tried again together.
        delay_s = max(at_least_s, grown_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        next_try, limit = self._clock.now() + timedelta(seconds=delay_s), self._settings.max_attempts
        state = self._ledger.later(self._owner, item.item_id, failure, next_try=next_try, max_attempts=limit)
        _note(item, state, failure.code)


def _note(item: Item, state: ItemState | None, code: str | None) -> None:
    said = state.value if state else "lost"
    ITEMS_DONE.labels(item.source, said, code or "").inc()
    _log.info("item.done", item_id=item.item_id, item_key=item.item_key, state=said, code=code)


def _still(items: list[Item]) -> Item | None:
    return items[0] if items else None


def _own_id(item: Item) -> str:
    return video_id(item.source, hashlib.sha256(item.item_key.encode()).hexdigest()[:24])


def _place(uri: str) -> tuple[str, str]:
    match = MEDIA_URI.match(uri)
    if match is None:
        raise ObjectsUnavailable(f"{uri!r} is not s3://bucket/key; correct the item")
    return match[1], match[2]
