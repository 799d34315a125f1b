"""The cage: media is probed and decoded in child processes with limits; what happens to them never happens to us."""

import importlib.util
import os
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import structlog
from numpy.typing import NDArray

from core.errors import ConfigError, DependencyError, MediaCrashed, MediaError, MediaTimeout, PlatformError
from core.media.process import DecoderProcess, ProcessDiedError, ProcessSilentError
from core.media.protocol import Backend, ClipTarget, DecodedClip, MediaLimits, Message, Probe, Sampling
from core.settings import DecodeSettings

log = structlog.get_logger()

_START_LIMIT_S = 60.0
_START_ATTEMPTS = 3
# Codecs leak a little; nobody has to find out which.
_RECYCLE_AFTER_REQUESTS = 500
_REFUSALS: dict[str, type[PlatformError]] = {kind.code: kind for kind in MediaError.__subclasses__()}
_REFUSALS[ConfigError.code] = ConfigError


class Cage:
    """A pool of decoder children; every method may be called from any thread and blocks until a child is free.

    Each request has one child to itself. A child that passes its limits is killed and replaced; one that dies is
    replaced and the request repeated once, so that a death from outside costs no verdict. Children die with this
    process, however it ends.

    Raises:
        ConfigError: the chosen backend is not installed.
    """

    def __init__(self, settings: DecodeSettings) -> None:
        _check_backend(settings.backend)
        self._settings = settings
        self._limits = MediaLimits(
            max_bytes=settings.max_bytes,
            max_pixels=settings.max_pixels,
            max_duration_s=settings.max_duration_s,
            min_distinct_frames=settings.min_distinct_frames,
        )
        # Linux sends a child its parent-death signal when the *thread* that started it ends: so one that stays.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="decoder-starter")
        # The last seat given back is the first taken again: a quiet flow keeps few children.
        self._seats: queue.LifoQueue[_Seat] = queue.LifoQueue()
        for _ in range(settings.children):
            self._seats.put(_Seat())
        self._lock = threading.Lock()
        self._alive: dict[int, DecoderProcess] = {}
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def probe(self, path: Path) -> Probe:
        """Say what a video is; at least one of its frames can be decoded.

        Raises:
            MediaError: it cannot be used, with the reason's code.
        """
        return Probe(**self._ask(self._request(path, None), out=None)["probe"])

    def decode(self, path: Path, target: ClipTarget, *, shm_name: str, offset_bytes: int, nbytes: int) -> DecodedClip:
        """Decode a clip straight into a shared-memory block, given by its POSIX name.

        After an error the bytes in the block are undefined.

        Raises:
            MediaError: the clip cannot be had, with the reason's code.
            ConfigError: the block is not there, not ours or too small.
        """
        if nbytes != target.nbytes:
            raise ValueError(f"the slot has {nbytes} bytes, the clip {target.nbytes}")
        block = {"shm_name": shm_name.removeprefix("/"), "offset_bytes": offset_bytes}
        return _clip(self._ask(self._request(path, target) | block, out=None))

    def decode_into(self, path: Path, target: ClipTarget, out: NDArray[np.uint8]) -> DecodedClip:
        """Decode a clip into an ordinary array, (T, H, W, 3) uint8, for one copy more.

        Raises:
            MediaError: the clip cannot be had, with the reason's code.
        """
        if out.shape != target.shape or out.dtype != np.uint8 or not out.flags.c_contiguous:
            raise ValueError(f"out is {out.shape} {out.dtype}, the target {target.shape} uint8 in one piece")
        return _clip(self._ask(self._request(path, target), out=out))

    def pids(self) -> tuple[int, ...]:
        """The children that live now; they start when first needed."""
        with self._lock:
            return tuple(pid for pid, child in self._alive.items() if child.is_alive)

    def close(self) -> None:
        """Kill all children; requests under way raise DependencyError."""
        with self._lock:
            self._is_closed = True
            for child in self._alive.values():
                child.kill()
        # Whoever still holds a seat sees its child's end at once, and lets go of it.
        seats = [self._seats.get() for _ in range(self._settings.children)]
        for seat in seats:
            self._dismiss(seat)
            self._seats.put(seat)
        self._starter.shutdown()

    def _request(self, path: Path, target: ClipTarget | None) -> Message:
        return {
            "path": os.fspath(path.absolute()),
            "target": None if target is None else asdict(target),
            "limits": asdict(self._limits),
            "backend": self._settings.backend.value,
            "cpu_limit_s": self._settings.cpu_limit_s,
            "shm_name": None,
            "offset_bytes": 0,
        }

    def _ask(self, request: Message, *, out: NDArray[np.uint8] | None) -> Message:
        with self._seat() as seat:
            try:
                answer = self._ask_once(seat, request, out)
            except ProcessDiedError as death:
                log.warning("decoder.died", reason=str(death))
                answer = self._ask_again(seat, request, out)
        if "code" in answer:
            raise _REFUSALS[answer["code"]](answer["message"])
        return answer

    def _ask_again(self, seat: "_Seat", request: Message, out: NDArray[np.uint8] | None) -> Message:
        # The first child may have been killed from outside; a second death, in a fresh process, is the media's doing.
        try:
            return self._ask_once(seat, request, out)
        except ProcessDiedError as death:
            raise MediaCrashed(f"the decoder died of it twice: {death}") from death

    @contextmanager
    def _seat(self) -> Iterator["_Seat"]:
        seat = self._seats.get()
        try:
            yield seat
        finally:
            self._seats.put(seat)

    def _ask_once(self, seat: "_Seat", request: Message, out: NDArray[np.uint8] | None) -> Message:
        child = self._child_of(seat)
        try:
            answer = child.ask(request, limit_s=self._settings.wall_limit_s)
            if out is not None and "code" not in answer:
                child.read_scratch(out)
        except ProcessSilentError as silence:
            self._dismiss(seat)
            raise MediaTimeout(f"the decoder gave no answer within {self._settings.wall_limit_s:g} s") from silence
        except ProcessDiedError as death:
            self._dismiss(seat)
            self._check_open()
            if child.was_out_of_cpu:
                raise MediaTimeout(f"decoding it took over {self._settings.cpu_limit_s} s of CPU") from death
            raise
        except BaseException:
            # Interrupted half-way: its answer would be taken for the next request's.
            self._dismiss(seat)
            raise
        return answer

    def _child_of(self, seat: "_Seat") -> DecoderProcess:
        self._check_open()
        # A child that was killed while idle is replaced without blaming a request.
        if seat.child is not None and (not seat.child.is_alive or seat.child.served >= _RECYCLE_AFTER_REQUESTS):
            self._dismiss(seat)
        if seat.child is None:
            seat.child = self._starter.submit(self._start).result()
        return seat.child

    def _start(self) -> DecoderProcess:
        for _ in range(_START_ATTEMPTS):
            child = DecoderProcess(self._settings.memory_limit_bytes)
            with self._lock:
                self._alive[child.pid] = child
            try:
                child.ask(None, limit_s=_START_LIMIT_S)
                self._check_open()
            except (ProcessDiedError, ProcessSilentError) as error:
                self._bury(child)
                self._check_open()
                log.warning("decoder.start_failed", reason=str(error))
            except DependencyError:
                self._bury(child)
                raise
            else:
                log.debug("decoder.started", pid=child.pid)
                return child
        raise ConfigError("no decoder process can be started: see its messages above")

    def _dismiss(self, seat: "_Seat") -> None:
        if seat.child is not None:
            self._bury(seat.child)
            seat.child = None

    def _bury(self, child: DecoderProcess) -> None:
        with self._lock:
            self._alive.pop(child.pid, None)
        child.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise DependencyError("the decode cage is closed")


@dataclass
class _Seat:
    """The right to one child, started when first needed."""

    child: DecoderProcess | None = None


def _check_backend(backend: Backend) -> None:
    # Looked for, not imported: it is loaded where it can be killed, and nowhere else.
    if backend is Backend.DECORD and importlib.util.find_spec("decord") is None:
        raise ConfigError("decord is not installed: install clipwarden[decord], or unset CLIPWARDEN_DECODE__BACKEND")


def _clip(answer: Message) -> DecodedClip:
    clip = answer["clip"]
    return DecodedClip(
        tuple(clip["times_s"]), clip["distinct_frames"], Sampling(clip["sampling"]), Probe(**clip["probe"])
    )
