"""The decoder child, `python -m core.media.child`: hostile media is opened here, and nowhere else.

It reads requests from stdin and answers on stdout, one at a time, until stdin ends or its parent dies. Only `Cage`
starts it.
"""

import math
import os
import resource
import stat
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import av.logging
import numpy as np
from numpy.typing import NDArray

from core.confine import die_with, lower
from core.errors import ConfigError, MediaTooLarge, PlatformError
from core.media.decode import decode_clip
from core.media.probe import probe
from core.media.protocol import (
    HEADER,
    Backend,
    ClipTarget,
    DecodedClip,
    MediaLimits,
    Message,
    parse_length,
    parse_message,
    to_frame,
)

_NICENESS = 5
_MAX_OPEN_FILES = 64


def main() -> None:
    """Confine this process, then serve: arguments are the parent's pid, the memory limit and the scratch file."""
    parent_pid, memory_limit_bytes, scratch_fd = (int(argument) for argument in sys.argv[1:4])
    die_with(parent_pid)
    _confine(memory_limit_bytes)
    answers_fd = _take_stdout()
    av.logging.set_level(None)
    _send(answers_fd, {"ready": True})
    while (request := _receive()) is not None:
        _send(answers_fd, _answer(request, scratch_fd))


def _confine(memory_limit_bytes: int) -> None:
    lower(resource.RLIMIT_AS, memory_limit_bytes)
    lower(resource.RLIMIT_NOFILE, _MAX_OPEN_FILES)
    lower(resource.RLIMIT_CORE, 0)
    os.nice(_NICENESS)


def _take_stdout() -> int:
    # Whatever a library prints must not land between two answers.
    answers_fd = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers_fd


def _receive() -> Message | None:
    header = sys.stdin.buffer.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    return parse_message(sys.stdin.buffer.read(parse_length(header)))


def _send(fd: int, message: Message) -> None:
    data = memoryview(to_frame(message))
    while data:
        data = data[os.write(fd, data) :]


def _answer(request: Message, scratch_fd: int) -> Message:
    _allow_cpu(request["cpu_limit_s"])
    path, limits = Path(request["path"]), MediaLimits(**request["limits"])
    try:
        if request["target"] is None:
            return {"probe": asdict(probe(path, limits))}
        return _decode(path, ClipTarget(**request["target"]), limits, request=request, scratch_fd=scratch_fd)
    except MemoryError:
        return _refusal(MediaTooLarge("decoding it takes more memory than a decoder may use"))
    except PlatformError as error:
        return _refusal(error)


def _decode(path: Path, target: ClipTarget, limits: MediaLimits, *, request: Message, scratch_fd: int) -> Message:
    out = np.empty(target.shape, np.uint8)
    clip = _decoder(Backend(request["backend"]))(path, target, limits, out=out)
    if request["shm_name"] is None:
        os.ftruncate(scratch_fd, target.nbytes)
        _write(scratch_fd, out, offset_bytes=0)
    else:
        _write_block(request["shm_name"], out, offset_bytes=request["offset_bytes"])
    return {"clip": asdict(clip)}


def _decoder(backend: Backend) -> Callable[..., DecodedClip]:
    if backend is Backend.PYAV:
        return decode_clip
    # An optional package, and the only process that may load it.
    from core.media.with_decord import decode_clip as decode_with_decord  # noqa: PLC0415

    return decode_with_decord


def _write_block(name: str, out: NDArray[np.uint8], *, offset_bytes: int) -> None:
    # Not SharedMemory(name): its resource tracker would unlink the owner's block when this process ends. Not mmap
    # either: a block that shrinks meanwhile would be a SIGBUS instead of an error.
    try:
        fd = os.open(f"/dev/shm/{name}", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)  # noqa: S108 - where POSIX blocks lie
    except OSError as error:
        raise ConfigError(f"shared-memory block {name!r} cannot be opened: {error.strerror}") from error
    try:
        _check_block(os.fstat(fd), name, needed_bytes=offset_bytes + out.nbytes)
        _write(fd, out, offset_bytes=offset_bytes)
    finally:
        os.close(fd)


def _check_block(status: os.stat_result, name: str, *, needed_bytes: int) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        raise ConfigError(f"shared-memory block {name!r} is not ours")
    if status.st_size < needed_bytes:
        raise ConfigError(f"shared-memory block {name!r} has {status.st_size} bytes, {needed_bytes} are needed")


def _write(fd: int, out: NDArray[np.uint8], *, offset_bytes: int) -> None:
    data = out.data.cast("B")
    while data:
        written = os.pwrite(fd, data, offset_bytes)
        data, offset_bytes = data[written:], offset_bytes + written


def _allow_cpu(cpu_limit_s: int) -> None:
    # The limit counts from the start of the process: a healthy child that has served for hours must not die of it.
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft_s = math.ceil(usage.ru_utime + usage.ru_stime) + cpu_limit_s
    hard_s = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft_s if hard_s == resource.RLIM_INFINITY else min(soft_s, hard_s), hard_s)
    )


def _refusal(error: PlatformError) -> Message:
    return {"code": error.code, "message": error.message}


if __name__ == "__main__":
    main()
