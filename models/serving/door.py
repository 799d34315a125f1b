"""The worker's socket: a ROUTER that hears every client it knows and is never blocked by one."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import zmq

from core.clock import Clock
from core.errors import ConfigError
from core.settings import ServingSettings
from models.curve import ZAP_DOMAIN, Keys, worker_keys
from models.serving.gate import Gate

_SEND_QUEUE = 10_000
_SPARE_BYTES = 1 << 20
_FRAMES = (2, 3)


class Door:
    """Frames in, frames out; over a network from and to clients whose keys are allowed.

    Args:
        settings: `bind` is `ipc://PATH` or `tcp://HOST:PORT`, the port may be `*`.
        clip_bytes: no message is larger than a few clips.

    Raises:
        ConfigError: the endpoint cannot be bound, or leaves loopback without keys.
    """

    def __init__(self, settings: ServingSettings, *, clip_bytes: int, clock: Clock) -> None:
        endpoint = settings.bind
        keys = worker_keys(settings)
        self._lock_fd = _lock(endpoint)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        # A client that reconnects keeps its name, so its answers still find it.
        self._socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self._socket.setsockopt(zmq.SNDHWM, _SEND_QUEUE)
        self._socket.setsockopt(zmq.MAXMSGSIZE, 4 * clip_bytes + _SPARE_BYTES)
        self._socket.setsockopt(zmq.HEARTBEAT_IVL, 2_000)
        self._socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 6_000)
        self._socket.setsockopt(zmq.IPV6, "[" in endpoint)
        self._gate: Gate | None = None
        if keys is not None and settings.curve_clients_dir is not None:
            _protect(self._socket, keys)
            self._gate = Gate(self._context, settings.curve_clients_dir, clock)
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise ConfigError(
                f"serving.bind {endpoint}: {error.strerror}; give ipc://PATH or tcp://HOST:PORT"
            ) from error
        if endpoint.startswith("ipc://"):
            os.chmod(endpoint.removeprefix("ipc://"), 0o600)  # noqa: PTH101 - a socket's path, not a file's
        self.endpoint = str(self._socket.getsockopt_string(zmq.LAST_ENDPOINT))
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        if self._gate is not None:
            self._poller.register(self._gate.socket, zmq.POLLIN)

    def wait(self, wake_fd: int, timeout_ms: int) -> None:
        """Sleep until a message came, `wake_fd` is readable, or the time is up."""
        if wake_fd not in self._poller:
            self._poller.register(wake_fd, zmq.POLLIN)
        self._poller.poll(timeout_ms)
        if self._gate is not None:
            self._gate.answer()

    def receive(self, most: int) -> Iterator[tuple[bytes, bytes, memoryview | None]]:
        """Up to `most` messages as (client, header, clip); other shapes are dropped."""
        for _ in range(most):
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            if len(frames) in _FRAMES:
                clip = frames[2].buffer if len(frames) > 2 else None  # noqa: PLR2004 - client, header, clip
                yield frames[0].bytes, frames[1].bytes, clip

    def send(self, client: bytes, header: bytes) -> bool:
        """Queue an answer; False when the client is gone or does not read."""
        try:
            self._socket.send_multipart((client, header), zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno in (zmq.EHOSTUNREACH, zmq.EAGAIN):
                return False
            raise
        return True

    def close(self) -> None:
        """Give queued answers two seconds to leave, then let go."""
        self._socket.close(linger=2_000)
        if self._gate is not None:
            self._gate.close()
        self._context.term()
        if self._lock_fd >= 0:
            os.close(self._lock_fd)


def _protect(socket: "zmq.Socket[bytes]", keys: Keys) -> None:
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
    # Without somebody who decides, nobody comes in.
    socket.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)


def _lock(endpoint: str) -> int:
    """ZeroMQ would silently take an ipc path away from a worker that lives."""
    if not endpoint.startswith("ipc://"):
        return -1
    path = Path(endpoint.removeprefix("ipc://"))
    try:
        fd = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConfigError(f"another worker serves {endpoint}; stop it or set another serving.bind") from error
    except OSError as error:
        raise ConfigError(f"serving.bind {endpoint}: {error.strerror}; choose a path this user can write") from error
    return fd
