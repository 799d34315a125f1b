"""One uploaded file on its way: to a spool on disk and, in parts, to the object store; never whole in memory.

The spool is what the decoder's cage opens: until it has, the store holds parts that nobody can see.
"""

import asyncio
import hashlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from core.errors import ObjectsUnavailable
from core.storage.parts import MIN_PART_BYTES, OpenUpload, S3Parts
from core.storage.ports import MediaStore

_log = structlog.get_logger()

_TYPES = (
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/x-matroska"),
    (0, b"RIFF", "video/x-msvideo"),
    (0, b"FLV", "video/x-flv"),
    (0, b"\x47", "video/mp2t"),
    (0, b"OggS", "video/ogg"),
)
"""A store wants an object's type before its first part, and the decoder says it after the last one."""

PARTS_IN_FLIGHT = 2
"""A store that waits for its disk after each part has the next one meanwhile."""

T = TypeVar("T")


@dataclass(frozen=True)
class Received:
    """A file that came whole; it lies at `spool`, and in the store only where nobody sees it."""

    spool: Path
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Shelf:
    """Where uploads go.

    Attributes:
        spool_dir: on a disk, of this process alone.
        prefix: of the keys of all uploads through this folder; what is pending under it belongs to nobody else.
    """

    media: MediaStore
    parts: S3Parts
    bucket: str
    spool_dir: Path
    prefix: str


class Upload:
    """Takes a file in chunks; used by one task of the loop.

    At most three parts are in memory, one that fills and two that are sent: while those take their time, so does the
    caller. A file of one part is put in one piece, once it is known to be good.
    """

    def __init__(self, shelf: Shelf, name: str, pool: Executor) -> None:
        self.key = f"{shelf.prefix}{name}"
        self._shelf = shelf
        self._pool = pool
        self._spool = shelf.spool_dir / name
        self._file = self._spool.open("xb")
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._filling = bytearray()
        self._order = asyncio.Lock()
        self._sending: deque[asyncio.Task[str]] = deque()
        self._open: OpenUpload | None = None
        self._tags: list[str] = []
        # What was stored by a thread must not be aborted by the end of a request that was cancelled.
        self._turn = threading.Lock()
        self._is_over = False

    @property
    def size_bytes(self) -> int:
        """How much came so far."""
        return self._size_bytes

    @property
    def uri(self) -> str:
        """Where the object will be."""
        return f"s3://{self._shelf.bucket}/{self.key}"

    async def write(self, data: memoryview) -> None:
        """Take the next bytes.

        Raises:
            ObjectsUnavailable: a part could not be sent.
        """
        self._filling += data
        self._size_bytes += len(data)
        if len(self._filling) >= MIN_PART_BYTES:
            await self._sent(PARTS_IN_FLIGHT - 1)
            part, self._filling = self._filling, bytearray()
            self._begin_sending(part)

    async def finish(self) -> Received:
        """All bytes are there: spooled, hashed, and, if they were more than a part, sent.

        Raises:
            ObjectsUnavailable: a part could not be sent.
        """
        if self._size_bytes > len(self._filling) > 0:
            self._begin_sending(self._filling)
        elif self._filling:
            await self._in_pool(partial(self._take, self._filling))
        await self._sent(0)
        await self._in_pool(self._file.close)
        return Received(self._spool, self._digest.hexdigest(), self._size_bytes)

    def store(self, content_type: str) -> None:
        """Make it an object; blocks.

        Raises:
            ObjectsUnavailable: the store does not say that it did.
        """
        with self._turn:
            if self._open is None:
                self._shelf.media.put_bytes(self._shelf.bucket, self.key, bytes(self._filling), content_type)
            else:
                self._shelf.parts.complete(self._open, self._tags)
            self._is_over = True

    async def close(self) -> None:
        """Forget the spool and, unless it was stored, every part; also when the request was cancelled."""
        await asyncio.shield(asyncio.create_task(self._end()))

    async def _end(self) -> None:
        # A part that arrived after the abort would stay.
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self._in_pool(self._discard)

    def _begin_sending(self, part: bytearray) -> None:
        number = len(self._tags) + len(self._sending) + 1
        self._sending.append(asyncio.create_task(self._send(part, number)))

    async def _sent(self, but: int) -> None:
        """Wait until no more parts than so many are under way."""
        while len(self._sending) > but:
            # Whoever cancels the request must not cancel the part: it would arrive after the abort.
            self._tags.append(await asyncio.shield(self._sending[0]))
            self._sending.popleft()

    async def _send(self, part: bytearray, number: int) -> str:
        async with self._order:
            upload = await self._in_pool(partial(self._take_for_part, part))
        return await self._in_pool(partial(self._shelf.parts.put, upload, number, part))

    def _in_pool(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _take_for_part(self, part: bytearray) -> OpenUpload:
        self._take(part)
        if self._open is None:
            self._open = self._shelf.parts.begin(self.key, _guess(part))
        return self._open

    def _take(self, part: bytearray) -> None:
        self._digest.update(part)
        self._file.write(part)

    def _discard(self) -> None:
        with self._turn:
            is_stored, self._is_over = self._is_over, True
            self._file.close()
            if self._open is not None and not is_stored:
                self._abort(self._open)
            # Last: what is pending without a spool file is the sweep's.
            self._spool.unlink(missing_ok=True)

    def _abort(self, upload: OpenUpload) -> None:
        try:
            self._shelf.parts.abort(upload)
        except ObjectsUnavailable as error:
            _log.warning("upload.left_parts", key=self.key, error=str(error))


def _guess(head: bytearray) -> str:
    found = (kind for at, mark, kind in _TYPES if head[at : at + len(mark)] == mark)
    return next(found, "application/octet-stream")
