"""Callers of the gateway, for its bench: one with a large file, and a crowd that comes again when it is told to."""

import http.client
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from core.errors import DependencyError
from core.settings import PREFIX, process_environment
from core.storage.api_keys import ApiKeys, Scope
from operations.bench.site import BenchSite
from operations.demo.render import render_clips
from operations.processes import CODE_DIR

BOUNDARY = "clipwarden-bench"
KEYS = 20
BLOCK_BYTES = 1 << 20
WAIT_S = 120.0
RETRY_S = 1.0
ACCEPTED, TOO_MANY = 202, 429
_START = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="clip.mp4"\r\n\r\n'.encode()
_END = f"\r\n--{BOUNDARY}--\r\n".encode()


@dataclass(frozen=True)
class Peaks:
    """The most memory that the gateway, and its decoders together, had resident."""

    gateway: float
    decoders: float


@dataclass(frozen=True)
class BenchGateway:
    """A gateway that runs, and keys for its callers."""

    pid: int
    port: int
    keys: tuple[str, ...]

    def upload(self, clip: Path) -> int:
        """Post a file as it lies; the status."""
        with clip.open("rb") as file, closing(self._connection()) as connection:
            self._begin(connection, self.keys[0], clip.stat().st_size)
            connection.send(_START)
            connection.sock.sendfile(file)
            connection.send(_END)
            return _status(connection)

    def post(self, content: bytes, key: str) -> int:
        """Post a small file; the status."""
        with closing(self._connection()) as connection:
            self._begin(connection, key, len(content))
            # Told no while it still sends, it finds the answer all the same.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.send(_START + content + _END)
            return _status(connection)

    def peaks_mb(self) -> Peaks:
        """So far."""
        children = [child.pid for child in psutil.Process(self.pid).children(recursive=True)]
        return Peaks(_peak_mb(self.pid), sum(map(_peak_mb, children)))

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)

    def _begin(self, connection: http.client.HTTPConnection, key: str, nbytes: int) -> None:
        connection.putrequest("POST", "/v1/videos")
        connection.putheader("Authorization", f"Bearer {key}")
        connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
        connection.putheader("Content-Length", str(len(_START) + nbytes + len(_END)))
        connection.endheaders()


@dataclass
class Told:
    """What a crowd was answered: at first, altogether, and how many were taken in the end."""

    first: Counter[int] = field(default_factory=Counter)
    all: Counter[int] = field(default_factory=Counter)
    taken: int = 0


@contextmanager
def started(site: BenchSite, *, max_bytes: int) -> Iterator[BenchGateway]:
    """A gateway over the bench's servers, stopped at the end.

    Raises:
        DependencyError: it does not start.
    """
    port = _free_port()
    own = {"GATEWAY__PORT": port, "GATEWAY__WORK_DIR": site.root / "gateway", "DECODE__MAX_BYTES": max_bytes}
    env = {**process_environment(), **site.env, **{f"{PREFIX}{name}": str(value) for name, value in own.items()}}
    command = (sys.executable, "-m", "ingestion.gateway")
    process = subprocess.Popen(command, env=env, cwd=CODE_DIR, stderr=subprocess.DEVNULL)  # noqa: S603 - our own module
    try:
        _wait(process, port)
        yield BenchGateway(process.pid, port, _keys(site))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(WAIT_S)


@contextmanager
def large_clip(folder: Path, nbytes: int) -> Iterator[Path]:
    """A video of so many bytes, unlike any before: a rendered clip and a box that players skip."""
    path, clip, block = folder / "large.mp4", small_clip(folder), os.urandom(BLOCK_BYTES)
    rest_bytes = nbytes - len(clip)
    with path.open("wb") as file:
        file.write(clip + struct.pack(">I4s", rest_bytes, b"free"))
        for left_bytes in range(rest_bytes - 8, 0, -BLOCK_BYTES):
            file.write(block[:left_bytes])
    try:
        yield path
    finally:
        path.unlink()


def small_clip(folder: Path) -> bytes:
    """A rendered clip."""
    return render_clips(folder / "rendered")[0].read_bytes()


class Crowd:
    """Callers that begin at the same time, and come again while they are told that there are too many."""

    def __init__(self, gateway: BenchGateway, clip: bytes, size_bytes: int) -> None:
        self._gateway = gateway
        self._clip = clip
        self._size_bytes = size_bytes
        self._lock = threading.Lock()
        self.told = Told()

    def rush(self, callers: int) -> Told:
        """Let them call, and wait for the last one."""
        gate = threading.Barrier(callers)
        threads = [threading.Thread(target=self._call, args=(number, gate)) for number in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.told

    def _call(self, number: int, gate: threading.Barrier) -> None:
        content, key = self._content(), self._gateway.keys[number % len(self._gateway.keys)]
        gate.wait()
        until_s = time.monotonic() + WAIT_S
        status = self._note(self._gateway.post(content, key), is_first=True)
        while status == TOO_MANY and time.monotonic() < until_s:
            time.sleep(RETRY_S)
            status = self._note(self._gateway.post(content, key), is_first=False)

    def _note(self, status: int, *, is_first: bool) -> int:
        with self._lock:
            self.told.all[status] += 1
            self.told.first[status] += is_first
            self.told.taken += status == ACCEPTED
        return status

    def _content(self) -> bytes:
        """The clip with bytes of its own."""
        rest_bytes = max(24, self._size_bytes - len(self._clip))
        return self._clip + struct.pack(">I4s", rest_bytes, b"free") + os.urandom(rest_bytes - 8)


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    until_s = time.monotonic() + WAIT_S
    while time.monotonic() < until_s and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise DependencyError("the gateway does not start; try: python -m ingestion.gateway")


def _keys(site: BenchSite) -> tuple[str, ...]:
    with closing(ApiKeys(site.settings.store)) as keys:
        return tuple(keys.make("bench", [Scope.POST])[1] for _ in range(KEYS))


def _status(connection: http.client.HTTPConnection) -> int:
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _peak_mb(pid: int) -> float:
    """The high-water mark that the kernel keeps."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
