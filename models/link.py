"""The client's I/O thread: one DEALER socket, what was sent over it, and whether someone answers."""

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from math import ceil

import structlog
import zmq

from core.clock import Clock
from core.errors import ConfigError, InferenceUnavailable
from core.settings import InferenceSettings
from models import wire
from models.arena import Slot
from models.client import Shadow
from models.outbox import Outbox, Pending
from models.slots import SlotPool

PING_S = 0.5
LOST_S = 5.0
_RETRY_S = 0.02
_CAPTIONS_PER_SLOT = 4
_SEND_QUEUE = 4_096

_log = structlog.get_logger()


@dataclass(frozen=True)
class LinkState:
    """Whether a worker answers, since when, and which."""

    is_connected: bool
    since: datetime
    detail: str


class Link:
    """Used from one thread; `state` may be read from any.

    Args:
        settings: the endpoint, the deadline and the attempts.
        fresh: requests from other threads, in order.
        pool: told what is served.
        on_shadow: told what challengers said; must return at once, and not raise.

    Raises:
        ConfigError: the endpoint is wrong.
    """

    def __init__(
        self,
        settings: InferenceSettings,
        clock: Clock,
        fresh: deque[Pending],
        pool: SlotPool,
        *,
        on_shadow: Callable[[Shadow], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._fresh = fresh
        self._pool = pool
        self._on_shadow = on_shadow
        self._deadline_ms = ceil(settings.deadline_s * 1e3)
        self._outbox = Outbox(attempts=settings.attempts, max_captions=_CAPTIONS_PER_SLOT * settings.slots)
        self._sends_frames = settings.endpoint.startswith("tcp://")
        self._generation = self._model_version = ""
        self._ping = 0
        self._heard_s = self._asked_s = float("-inf")
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = _connect(self._context, settings.endpoint)
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self.state = LinkState(
            is_connected=False, since=clock.now(), detail=f"no worker answers at {settings.endpoint}"
        )

    def turn(self, wake_fd: int) -> None:
        """Sleep until there is something to do, then do it."""
        if wake_fd not in self._poller:
            self._poller.register(wake_fd, zmq.POLLIN)
        self._poller.poll(self._timeout_ms())
        with suppress(BlockingIOError):
            os.eventfd_read(wake_fd)
        self._receive()
        now_s = self._clock.monotonic_s()
        self._keep_in_touch(now_s)
        while self._fresh:
            self._outbox.add(self._fresh.popleft())
        if self.state.is_connected:
            self._send_due(now_s)

    def close(self) -> None:
        """Resolve what is unanswered and let go of the socket."""
        while self._fresh:
            self._outbox.add(self._fresh.popleft())
        self._pool.stop()
        self._outbox.fail_all(InferenceUnavailable("the client was closed before the worker answered"))
        self._socket.close(linger=0)
        self._context.term()

    def _receive(self) -> None:
        while True:
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                answer = wire.parse_answer(frames[0])
            except wire.WireError as error:
                _log.warning("inference.malformed", error=str(error))
                continue
            self._heard_s = self._clock.monotonic_s()
            self._handle(answer)

    def _handle(self, answer: wire.Answer) -> None:
        match answer:
            case wire.Welcome():
                self._welcome(answer)
            case wire.Pong():
                self._pong(answer)
            case wire.Result():
                self._outbox.result(answer.id, answer.result())
            case wire.Busy():
                self._outbox.busy(answer.id, answer.retry_after_ms / 1e3, self._clock.monotonic_s())
            case wire.Error():
                self._error(answer)
            case wire.Shadowed():
                self._on_shadow(answer.shadow())

    def _welcome(self, welcome: wire.Welcome) -> None:
        if welcome.protocol != wire.PROTOCOL:
            self._set(connected=False, detail=f"the worker speaks protocol {welcome.protocol}, not {wire.PROTOCOL}")
            return
        self._generation, self._model_version = welcome.generation, welcome.served.model_version
        self._pool.serve(welcome.served)
        self._set(connected=True, detail=welcome.served.model_version)
        # At once: what was sent before is now known to be there or lost.
        self._asked_s = float("-inf")

    def _pong(self, pong: wire.Pong) -> None:
        now_s = self._clock.monotonic_s()
        if lost := self._outbox.pong(pong.number, set(pong.held), generation=pong.generation, now_s=now_s):
            _log.info("inference.sent_again", requests=lost)
        if (pong.generation, pong.model_version) != (self._generation, self._model_version):
            self._say(wire.Hello())

    def _error(self, error: wire.Error) -> None:
        if error.code == wire.ErrorCode.ARENA and not self._sends_frames:
            _log.warning("inference.sends_frames", error=error.message)
            self._sends_frames = True
        if error.code == wire.ErrorCode.STALE:
            self._say(wire.Hello())
        self._outbox.error(error.id, error.code, error.message)

    def _keep_in_touch(self, now_s: float) -> None:
        if self.state.is_connected and now_s - self._heard_s > LOST_S:
            self._set(connected=False, detail=f"no answer from the worker for {LOST_S:.0f} s")
        if now_s - self._asked_s < PING_S:
            return
        self._asked_s = now_s
        ask = wire.Ping(number=self._ping + 1) if self.state.is_connected else wire.Hello()
        if not self._say(ask):
            # No connection yet: the next one is tried within milliseconds, so look soon.
            self._asked_s = now_s - PING_S + _RETRY_S
        elif isinstance(ask, wire.Ping):
            self._ping = ask.number

    def _send_due(self, now_s: float) -> None:
        for request_id, pending in self._outbox.due(now_s):
            if not self._send(request_id, pending):
                self._outbox.unsent(pending)
                return
            self._outbox.sent(request_id, pending, ping=self._ping, generation=self._generation)

    def _send(self, request_id: int, pending: Pending) -> bool:
        slot = pending.slot
        with_frame = slot is not None and (self._sends_frames or slot.shm_name is None)
        header = wire.Infer(
            id=request_id,
            inputs_id=pending.inputs_id,
            priority=pending.request.priority,
            deadline_ms=self._deadline_ms,
            is_alone=pending.attempts > 0 or pending.deaths > 0,
            token_ids=pending.request.token_ids,
            slot=_slot_ref(slot) if slot is not None and not with_frame else None,
            has_frame=with_frame,
            sample=wire.SampleRef.of(sample) if (sample := pending.request.sample) else None,
        )
        return self._say(header, slot if with_frame else None)

    def _say(self, message: wire.Message, clip: Slot | None = None) -> bool:
        frames: list[zmq.Frame | bytes] = [message.to_bytes()]
        if clip is not None:
            frames.append(zmq.Frame(clip.frames.data.cast("B"), copy=False))
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        return True

    def _set(self, *, connected: bool, detail: str) -> None:
        if (connected, detail) == (self.state.is_connected, self.state.detail):
            return
        self.state = LinkState(connected, self._clock.now(), detail)
        (_log.info if connected else _log.warning)("inference.link", connected=connected, detail=detail)

    def _timeout_ms(self) -> int:
        now_s = self._clock.monotonic_s()
        next_s = self._outbox.next_s() if self.state.is_connected else None
        waits_s = [PING_S, self._asked_s + PING_S - now_s]
        if next_s is not None and next_s > now_s:
            waits_s.append(next_s - now_s)
        return ceil(max(0.0, min(waits_s)) * 1e3)


def _slot_ref(slot: Slot) -> wire.SlotRef:
    return wire.SlotRef(arena=slot.shm_name or "", offset_bytes=slot.offset_bytes)


def _connect(context: "zmq.Context[zmq.Socket[bytes]]", endpoint: str) -> "zmq.Socket[bytes]":
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.ROUTING_ID, b"c" + os.urandom(15))
    # Nothing is queued for a worker that is not there: it would reach the next one as well as its repetition.
    socket.setsockopt(zmq.IMMEDIATE, 1)
    socket.setsockopt(zmq.SNDHWM, _SEND_QUEUE)
    socket.setsockopt(zmq.RECONNECT_IVL, 50)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1_000)
    socket.setsockopt(zmq.HEARTBEAT_IVL, 2_000)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 6_000)
    try:
        socket.connect(endpoint)
    except zmq.ZMQError as error:
        context.destroy(linger=0)
        raise ConfigError(
            f"inference.endpoint {endpoint}: {error.strerror}; give ipc://PATH or tcp://HOST:PORT"
        ) from error
    return socket
