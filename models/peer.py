"""One worker as its client sees it: a DEALER socket, whether it answers, what it serves, how much it has to do."""

import os
from collections.abc import Iterator
from contextlib import suppress
from math import inf

import structlog
import zmq
from zmq.utils.monitor import recv_monitor_message

from core.errors import ConfigError
from models import wire
from models.arena import Slot
from models.curve import ClientKeys
from models.spec import ServedModels

PING_S = 0.25
LOST_S = 1.5
"""A worker that owes an answer for so long does not live: its socket is served by a thread that never computes."""
GONE_S = 0.3
"""A connection that is made again within this was only cut."""
REDIAL_S = 3.0
"""After a refused handshake ZeroMQ does not try again; the other side may have been set right meanwhile."""
_SEND_QUEUE = 4_096
_NO_HANDSHAKE = zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL

_log = structlog.get_logger()


class Peer:
    """Owned by the client's I/O thread.

    Attributes:
        served: None until it has said so, and again while it may have changed.
        others: how many requests of other clients it holds.
        is_connected: it answers.
        is_reachable: what is sent now leaves.
        is_draining: it accepts no more.
        sends_frames: clips travel in the message, not in shared memory.
        full_until_s: it said Busy; others are asked first until then.
        used: when it was last sent something, as a running number.
        detail: what it serves, or why it does not answer.

    Raises:
        ConfigError: the endpoint is wrong.
    """

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", endpoint: str, keys: ClientKeys | None) -> None:
        self.endpoint = endpoint
        self.socket = _connect(context, endpoint, keys)
        self._monitor = self.socket.get_monitor_socket(_NO_HANDSHAKE | zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        self.generation = ""
        self.served: ServedModels | None = None
        self.others = self.ping = self.used = 0
        self.is_connected = self.is_reachable = self.is_draining = False
        self.sends_frames = endpoint.startswith("tcp://")
        self.full_until_s = -inf
        self.detail = f"no worker answers at {endpoint}"
        self._asked_s = -inf
        self._owes_since_s = self._unreachable_since_s = self._redial_s = inf

    @property
    def is_open(self) -> bool:
        """Whether it can be sent requests."""
        return self.is_connected and self.is_reachable and not self.is_draining and self.served is not None

    def may_take(self, inputs_id: str) -> bool:
        """Whether it serves such inputs, as far as is known; an empty id means any."""
        return not inputs_id or self.served is None or self.served.inputs_id == inputs_id

    def receive(self) -> Iterator[wire.Answer]:
        """What it said."""
        while True:
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                answer = wire.parse_answer(frames[0])
            except wire.WireError as error:
                _log.warning("inference.malformed", endpoint=self.endpoint, error=str(error))
                continue
            self._owes_since_s = inf
            yield answer

    def welcome(self, welcome: wire.Welcome) -> None:
        """Note what it serves."""
        if welcome.protocol != wire.PROTOCOL:
            self._lose(f"the worker speaks protocol {welcome.protocol}, not {wire.PROTOCOL}")
            return
        self.generation, self.served, self.is_draining = welcome.generation, welcome.served, False
        self._say_how(connected=True, detail=welcome.served.model_version)
        # At once: what was sent before is now known to be there or lost.
        self._asked_s = -inf

    def pong(self, pong: wire.Pong) -> None:
        """Note how much it has to do; when it is another one or serves something else, ask what."""
        self.others, self.is_draining = pong.others, pong.is_draining
        if self.served is None or (pong.generation, pong.model_version) != (self.generation, self.served.model_version):
            self.ask_again()

    def ask_again(self) -> None:
        """What it serves may have changed."""
        self.served = None
        self.say(wire.Hello())

    def keep_in_touch(self, now_s: float) -> None:
        """Ask when it is time to, and notice when it no longer answers."""
        was_reachable = self.is_reachable
        self._try_to_reach(now_s)
        if self.is_connected and now_s - self._owes_since_s > LOST_S:
            self._lose(f"no answer from the worker for {LOST_S:g} s")
        if self.is_connected and now_s - self._unreachable_since_s > GONE_S:
            self._lose("the worker is gone")
        if self.is_reachable and (not was_reachable or now_s - self._asked_s >= PING_S):
            self._ask(now_s)

    def wait_s(self, now_s: float) -> float:
        """How long until `keep_in_touch` has something to do."""
        next_s = min(self._owes_since_s + LOST_S, self._unreachable_since_s + GONE_S) if self.is_connected else inf
        if self.is_reachable:
            next_s = min(next_s, self._asked_s + PING_S)
        return max(0.0, min(next_s - now_s, PING_S))

    def say(self, message: wire.Message, clip: Slot | None = None) -> bool:
        """Send; False when nothing can leave."""
        frames: list[zmq.Frame | bytes] = [message.to_bytes()]
        if clip is not None:
            frames.append(zmq.Frame(clip.frames.data.cast("B"), copy=False))
        try:
            self.socket.send_multipart(frames, zmq.NOBLOCK, copy=False)
        except zmq.Again:
            self.is_reachable = False
            return False
        return True

    def _try_to_reach(self, now_s: float) -> None:
        self.is_reachable = bool(int(self.socket.get(zmq.EVENTS)) & zmq.POLLOUT)
        if self.is_reachable:
            self._unreachable_since_s = self._redial_s = inf
            return
        self._unreachable_since_s = min(self._unreachable_since_s, now_s)
        self._redial_s = min(self._redial_s, now_s + REDIAL_S)
        self._hear_why()
        if now_s >= self._redial_s:
            self._redial_s = inf
            with suppress(zmq.ZMQError):
                self.socket.disconnect(self.endpoint)
            self.socket.connect(self.endpoint)

    def _hear_why(self) -> None:
        with suppress(zmq.Again):
            while True:
                failed = recv_monitor_message(self._monitor, zmq.NOBLOCK)["event"]
                is_unknown = failed == zmq.EVENT_HANDSHAKE_FAILED_AUTH
                why = "it does not allow this client's key" if is_unknown else "one side has no keys, or a wrong one"
                if not self.is_connected:
                    self._say_how(connected=False, detail=f"no handshake with {self.endpoint}: {why}")

    def _ask(self, now_s: float) -> None:
        ask = wire.Ping(number=self.ping + 1) if self.is_connected else wire.Hello()
        if not self.say(ask):
            return
        self._asked_s = now_s
        self._owes_since_s = min(self._owes_since_s, now_s)
        if isinstance(ask, wire.Ping):
            self.ping = ask.number

    def _lose(self, detail: str) -> None:
        self.served = None
        self.is_draining = False
        self._owes_since_s = inf
        self._say_how(connected=False, detail=detail)

    def _say_how(self, *, connected: bool, detail: str) -> None:
        if (connected, detail) == (self.is_connected, self.detail):
            return
        self.is_connected, self.detail = connected, detail
        log = _log.info if connected else _log.warning
        log("inference.link", endpoint=self.endpoint, connected=connected, detail=detail)


def _connect(context: "zmq.Context[zmq.Socket[bytes]]", endpoint: str, keys: ClientKeys | None) -> "zmq.Socket[bytes]":
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.ROUTING_ID, b"c" + os.urandom(15))
    # Nothing is queued for a worker that is not there: it would reach the next one as well as its repetition.
    socket.setsockopt(zmq.IMMEDIATE, 1)
    socket.setsockopt(zmq.SNDHWM, _SEND_QUEUE)
    socket.setsockopt(zmq.RECONNECT_IVL, 50)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1_000)
    socket.setsockopt(zmq.HEARTBEAT_IVL, 2_000)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 6_000)
    socket.setsockopt(zmq.IPV6, "[" in endpoint)
    if keys is not None:
        socket.setsockopt(zmq.CURVE_SECRETKEY, keys.own.secret)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.own.public)
        socket.setsockopt(zmq.CURVE_SERVERKEY, keys.worker)
    try:
        socket.connect(endpoint)
    except zmq.ZMQError as error:
        raise ConfigError(
            f"inference.endpoints {endpoint}: {error.strerror}; give ipc://PATH or tcp://HOST:PORT"
        ) from error
    return socket
