"""Who may come in by CURVE: answers ZeroMQ's authentication requests (ZAP) on the worker's I/O thread."""

from pathlib import Path

import structlog
import zmq

from core.clock import Clock
from core.errors import ConfigError
from core.telemetry import WORKER_DROPPED
from models.curve import read_allowed

_ADDRESS = "inproc://zeromq.zap.01"
_SETTING = "serving.curve_clients_dir"
_LOOK_S = 1.0
_TELL_S = 60.0
_FRAMES = 7

_log = structlog.get_logger()


class Gate:
    """Lets in the clients whose public keys lie in a folder, which may change at any time; nobody else.

    Args:
        context: of the socket it guards; made before that socket is bound.
    """

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._allowed = read_allowed(folder, _SETTING)
        self._looked_s = clock.monotonic_s()
        self._told_s = float("-inf")
        self._refused = 0
        self.socket = context.socket(zmq.REP)
        self.socket.bind(_ADDRESS)

    def answer(self) -> None:
        """Decide on everyone who waits."""
        while int(self.socket.get(zmq.EVENTS)) & zmq.POLLIN:
            version, request_id, *question = self.socket.recv_multipart()
            is_allowed = len(question) == _FRAMES - 2 and self._is_allowed(question)
            status = (b"200", b"OK") if is_allowed else (b"400", b"this key is not allowed")
            self.socket.send_multipart((version, request_id, *status, b"", b""))

    def close(self) -> None:
        """Answer nobody any more."""
        self.socket.close(linger=0)

    def _is_allowed(self, question: list[bytes]) -> bool:
        _domain, address, _identity, mechanism, key = question
        self._look()
        if mechanism == b"CURVE" and key in self._allowed:
            return True
        WORKER_DROPPED.labels("unauthorized").inc()
        self._tell(address.decode(errors="replace"))
        return False

    def _look(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s < _LOOK_S:
            return
        self._looked_s = now_s
        try:
            self._allowed = read_allowed(self._folder, _SETTING)
        except ConfigError as error:
            # Those who were allowed before stay so: a damaged file must not shut everybody out.
            _log.warning("worker.keys_unreadable", error=str(error))

    def _tell(self, address: str) -> None:
        """One line a minute, however often a stranger knocks."""
        self._refused += 1
        now_s = self._clock.monotonic_s()
        if now_s - self._told_s > _TELL_S:
            _log.warning("worker.client_refused", address=address, times=self._refused)
            self._told_s, self._refused = now_s, 0
