"""Clips in shared memory: the client owns a block of slots, decoders write into them by name, the worker reads them.

The block is a plain file in /dev/shm, not `SharedMemory`, whose resource tracker unlinks what a reader merely opened.
Its owner keeps it locked; the kernel drops the lock however the owner dies, so an unlocked block is an orphan.
The worker copies with `pread` instead of mapping: a block cut short by its owner is then an error, not a SIGBUS.
"""

import fcntl
import mmap
import os
import re
import secrets
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.spec import ClipSpec

DIRECTORY = Path("/dev/shm")  # noqa: S108 - the files in it are private (0600) and their names are random
_NAME = re.compile(r"clipwarden-\d{1,10}-[0-9a-f]{16}")
_PAGE_BYTES = 4096
_FRESH_S = 60.0
_MAX_OPEN = 512


class ArenaUnreadableError(ValueError):
    """A slot that a client named cannot be read: bad name, another owner, or out of bounds."""


class Arena:
    """A block of equal slots, shared where /dev/shm has room for it, private otherwise.

    Args:
        spec: the clip one slot holds.
        slots: how many.
        directory: where blocks live.
    """

    def __init__(self, spec: ClipSpec, slots: int, *, directory: Path = DIRECTORY) -> None:
        self.spec = spec
        self.name: str | None = f"clipwarden-{os.getpid()}-{secrets.token_hex(8)}"
        self._stride_bytes = -(-spec.clip_bytes // _PAGE_BYTES) * _PAGE_BYTES
        self._path = directory / self.name
        self._fd = -1
        try:
            self._memory = self._create(self._stride_bytes * slots)
        except OSError:
            self._discard()
            self.name = None
            self._memory = mmap.mmap(-1, self._stride_bytes * slots)
        self.slots = tuple(Slot(self, index) for index in range(slots))

    def _create(self, size_bytes: int) -> mmap.mmap:
        self._fd = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        # Reserves the pages: a full /dev/shm says so here, not by SIGBUS in a decoder.
        os.posix_fallocate(self._fd, 0, size_bytes)
        return mmap.mmap(self._fd, size_bytes)

    def offset_bytes(self, index: int) -> int:
        """Where slot `index` begins."""
        return index * self._stride_bytes

    def frames(self, index: int) -> NDArray[np.uint8]:
        """Slot `index` as (T, H, W, 3) uint8; writable."""
        flat = np.frombuffer(self._memory, np.uint8, self.spec.clip_bytes, self.offset_bytes(index))
        return flat.reshape(self.spec.shape)

    def close(self) -> None:
        """Unlink the block; memory that arrays still look at stays until they die."""
        self._discard()
        with suppress(BufferError):
            self._memory.close()

    def _discard(self) -> None:
        if self._fd < 0:
            return
        self._path.unlink(missing_ok=True)
        os.close(self._fd)
        self._fd = -1


@dataclass(frozen=True)
class Slot:
    """One clip's place in an arena."""

    arena: Arena
    index: int

    @property
    def shm_name(self) -> str | None:
        """The file in /dev/shm; None when the block is private."""
        return self.arena.name

    @property
    def offset_bytes(self) -> int:
        """Where in the block the slot begins."""
        return self.arena.offset_bytes(self.index)

    @property
    def frames(self) -> NDArray[np.uint8]:
        """The slot as an array: (T, H, W, 3) uint8 RGB."""
        return self.arena.frames(self.index)


class ArenaReader:
    """The worker's side: reads slots of blocks named by clients, trusting nothing about them.

    Not safe between threads, except that `read_into` may run beside `check`.
    """

    def __init__(self, directory: Path = DIRECTORY) -> None:
        self._directory = directory
        self._open: dict[str, int] = {}

    def check(self, name: str, offset_bytes: int, size_bytes: int) -> None:
        """Open the block and see that the slot lies in it.

        Raises:
            ArenaUnreadableError: it does not, or the block is not ours to read.
        """
        fd = self._open.get(name)
        if fd is None:
            fd = self._open[name] = self._open_block(name)
        if offset_bytes + size_bytes > os.fstat(fd).st_size:
            raise ArenaUnreadableError(f"the slot at {offset_bytes} ends outside {name}")

    def read_into(self, name: str, offset_bytes: int, out: memoryview) -> None:
        """Copy a slot of a checked block.

        Raises:
            ArenaUnreadableError: the block is gone or was cut.
        """
        fd = self._open.get(name)
        if fd is None or os.preadv(fd, [out], offset_bytes) != out.nbytes:
            raise ArenaUnreadableError(f"{name} is gone or was cut")

    def sweep(self) -> None:
        """Unlink the blocks of dead clients and let go of every block that is unlinked."""
        reap_orphans(self._directory)
        for name, fd in list(self._open.items()):
            if os.fstat(fd).st_nlink == 0:
                os.close(self._open.pop(name))

    def close(self) -> None:
        """Let go of every block."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _open_block(self, name: str) -> int:
        if not _NAME.fullmatch(name):
            raise ArenaUnreadableError("not the name of an arena")
        if len(self._open) >= _MAX_OPEN:
            raise ArenaUnreadableError(f"over {_MAX_OPEN} arenas are open")
        try:
            return _open_own(self._directory / name)
        except OSError as error:
            raise ArenaUnreadableError(f"{name}: {error.strerror}") from error


def reap_orphans(directory: Path = DIRECTORY) -> None:
    """Unlink every block whose owner died; blocks of other users are left alone."""
    for path in directory.glob("clipwarden-*"):
        if _NAME.fullmatch(path.name):
            with suppress(OSError):
                _unlink_if_orphan(path)


def _unlink_if_orphan(path: Path) -> None:
    fd = _open_own(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(fd)
        # Between its creation and its lock a block is empty; its owner is about to lock it.
        if found.st_size > 0 or time.time() - found.st_mtime > _FRESH_S:
            path.unlink()
    finally:
        os.close(fd)


def _open_own(path: Path) -> int:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    found = os.fstat(fd)
    if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
        return fd
    os.close(fd)
    raise PermissionError(1, "not a regular file of this user")
