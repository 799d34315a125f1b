"""A file → what it is, or the code it is refused with: before storing, by its content, through one handle of our own.

The name is never looked at, and never reaches a decoder: the cage opens the handle. Whatever the name is made to point
at meanwhile, what was judged is what is stored.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import MediaEmpty, MediaMissing, MediaTooLarge
from core.errors_ingest import IngestTruncated, IngestTypeRefused
from core.media.cage import Cage
from core.media.protocol import Probe
from core.settings import DecodeSettings
from ingestion.containers import check_container

# A device answers to being opened, and a pipe lets its opener wait: neither must happen, nor a link be followed.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True)
class Inspected:
    """A video that may be stored.

    Attributes:
        handle: opens the inspected bytes, whatever lies at the file's name by now; good within `inspected` only.
        probe: what the decoder found; its content_type is what the object is stored with.
    """

    handle: Path
    size_bytes: int
    sha256: str
    probe: Probe

    @property
    def content_type(self) -> str:
        """Of the container, from its content."""
        return self.probe.content_type

    @property
    def object_key(self) -> str:
        """Where the object lies in its bucket: the same bytes are the same object."""
        return f"videos/{self.sha256[:2]}/{self.sha256}"


class Inspector:
    """Judges files one by one; safe to share between threads."""

    def __init__(self, cage: Cage, settings: DecodeSettings) -> None:
        self._cage = cage
        self._max_bytes = settings.max_bytes

    @contextmanager
    def inspected(self, path: Path) -> Iterator[Inspected]:
        """Open a file and say what it is; within the block its bytes can be read through `handle`.

        Raises:
            IngestTypeRefused: it is no plain file, or its content is no video container.
            IngestTruncated: it ends before its container does, or its bytes changed while the block ran: what was
                stored of it is worth nothing.
            MediaError: it is a container, but no video that we take: empty, too large, too long, not decodable.
        """
        with _opened(path) as descriptor:
            before = os.fstat(descriptor)
            _check_size(before.st_size, self._max_bytes)
            check_container(descriptor, before.st_size)
            handle = Path(f"/proc/{os.getpid()}/fd/{descriptor}")
            probe = self._cage.probe(handle)
            yield Inspected(handle, before.st_size, _sha256(handle), probe)
            _check_unchanged(before, os.fstat(descriptor))


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        _check_kind(path.lstat().st_mode)
        descriptor = os.open(path, _FLAGS)
    # A name with NUL is none that the system knows.
    except (OSError, ValueError) as error:
        raise MediaMissing(f"{path.name!r} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        # Again, now that nobody can swap it.
        _check_kind(os.fstat(descriptor).st_mode)
        yield descriptor
    finally:
        os.close(descriptor)


def _check_kind(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise IngestTypeRefused(
            f"it is {_KINDS.get(stat.S_IFMT(mode), 'something')}, not a file; name the video itself"
        )


def _check_size(size_bytes: int, max_bytes: int) -> None:
    if size_bytes == 0:
        raise MediaEmpty("it has no bytes")
    if size_bytes > max_bytes:
        raise MediaTooLarge(f"{size_bytes} bytes are over CLIPWARDEN_DECODE__MAX_BYTES={max_bytes}")


def _sha256(handle: Path) -> str:
    with handle.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_unchanged(before: os.stat_result, after: os.stat_result) -> None:
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise IngestTruncated("it was written to while it was read; put it in again when it is complete")
