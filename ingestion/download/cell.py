"""What the downloading process takes from itself: memory, CPU, every address but the gate's, every folder but one.

yt-dlp has 1,800 extractors, downloaders that start programs, and ways past a proxy (`NO_PROXY`, an extractor's own
choice). None of them has to be trusted: Python's audit events are asked before a thing is done, and a hook cannot be
taken off again.
"""

import math
import os
import resource
from pathlib import Path
from typing import Any

from core.confine import die_with, lower
from core.errors_ingest import IngestAddressRefused
from ingestion.download.order import Order

_MAX_OPEN_FILES = 64
_SPARE_BYTES = 1024 * 1024
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_NEVER = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "pty.spawn"}
    | {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate"}
)
_NAMES = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_ADDRESSES = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOPBACK = "127.0.0.1"


def confine(order: Order) -> None:
    """Give up, for good, what one download does not need."""
    die_with(order.parent_pid)
    lower(resource.RLIMIT_AS, order.memory_bytes)
    lower(resource.RLIMIT_CPU, math.ceil(order.max_s))
    lower(resource.RLIMIT_FSIZE, order.max_bytes + _SPARE_BYTES)
    lower(resource.RLIMIT_NOFILE, _MAX_OPEN_FILES)
    lower(resource.RLIMIT_CORE, 0)


def check(event: str, arguments: tuple[object, ...], *, port: int, folder: Path) -> None:
    """Refuse what leads past the gate or out of the folder; to be called with each of Python's audit events.

    Raises:
        IngestAddressRefused: an address or a name that is not the gate's.
        PermissionError: a program, or a file elsewhere.
    """
    if event in _ADDRESSES:
        _check_address(arguments[1], port)
    elif event in _NAMES:
        _check_name(arguments[0])
    elif event in _NEVER:
        raise PermissionError(f"{event}: a download starts no program and changes no file but its own")
    elif event == "open":
        _check_file(arguments, folder)


def _check_address(address: object, port: int) -> None:
    if address != (_LOOPBACK, port):
        raise IngestAddressRefused("the downloader tried to connect past the gate")


def _check_name(host: object) -> None:
    if host != _LOOPBACK:
        raise IngestAddressRefused("the downloader tried to resolve a name past the gate")


def _check_file(arguments: tuple[object, ...], folder: Path) -> None:
    path, _mode, flags = arguments
    # A number is a descriptor that is open already.
    is_written = isinstance(flags, int) and flags & _WRITES and not isinstance(path, int)
    if is_written and not (isinstance(path, str | bytes | os.PathLike) and folder in _resolved(path).parents):
        raise PermissionError("the downloader tried to write outside its folder")


def _resolved(path: str | bytes | os.PathLike[Any]) -> Path:
    return Path(os.fsdecode(path)).resolve()
