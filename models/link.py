"""The client's I/O thread: one socket per worker, what was sent over them, and who is sent what comes next."""

import os
from collections import Counter, deque
from collections.abc import Callable, Collection
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
from models.curve import client_keys
from models.outbox import Outbox, Pending
from models.peer import Peer
from models.slots import SlotPool
from models.spec import ServedModels

_CAPTIONS_PER_SLOT = 4

_log = structlog.get_logger()


@dataclass(frozen=True)
class LinkState:
    """Whether a worker answers, since when, and which.

    Attributes:
        detail: of one worker, what it serves or why it does not answer; of several, how many answer and what is wrong
            with the rest.
        answering: how many workers answer.
        workers: how many there should be.
    """

    is_connected: bool
    since: datetime
    detail: str
    answering: int = 0
    workers: int = 1


class Link:
    """Used from one thread; `state` may be read from any.

    Args:
        settings: the endpoints, the deadline and the attempts.
        fresh: requests from other threads, in order.
        pool: told what is served.
        on_shadow: told what challengers said; must return at once, and not raise.

    Raises:
        ConfigError: an endpoint is wrong, or on a network without keys.
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
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._peers = _peers(self._context, settings)
        self._poller = zmq.Poller()
        self._served: ServedModels | None = None
        self._seen: object = None
        self._now_s = clock.monotonic_s()
        self._sent = 0
        self.state = self._look(clock.now())

    def turn(self, wake_fd: int) -> None:
        """Sleep until there is something to do, then do it."""
        self._sleep(wake_fd)
        self._now_s = self._clock.monotonic_s()
        for peer in self._peers.values():
            for answer in peer.receive():
                self._handle(peer, answer)
            peer.keep_in_touch(self._now_s)
        self._agree()
        self._leave_the_silent()
        while self._fresh:
            self._outbox.add(self._fresh.popleft())
        self._send_due()

    def choose(self, inputs_id: str, without: Collection[str]) -> str | None:
        """The endpoint of the worker with the least to do that serves it; the one unused for longest among equals."""
        able = [
            peer
            for peer in self._peers.values()
            if peer.is_open and peer.endpoint not in without and peer.may_take(inputs_id)
        ]
        best = min(able, key=self._load, default=None)
        return best.endpoint if best is not None else None

    def is_stale(self, inputs_id: str) -> bool:
        """Whether workers can be sent requests, and none that answers may still take such inputs."""
        answering = [peer for peer in self._peers.values() if peer.is_connected and not peer.is_draining]
        return any(peer.is_open for peer in answering) and not any(peer.may_take(inputs_id) for peer in answering)

    def close(self) -> None:
        """Resolve what is unanswered and let go of the sockets."""
        while self._fresh:
            self._outbox.add(self._fresh.popleft())
        self._pool.stop()
        self._outbox.fail_all(InferenceUnavailable("the client was closed before the worker answered"))
        self._context.destroy(linger=0)

    def _sleep(self, wake_fd: int) -> None:
        self._poller.register(wake_fd, zmq.POLLIN)
        for peer in self._peers.values():
            self._poller.register(peer.socket, zmq.POLLIN if peer.is_reachable else zmq.POLLIN | zmq.POLLOUT)
        self._poller.poll(self._timeout_ms())
        with suppress(BlockingIOError):
            os.eventfd_read(wake_fd)

    def _handle(self, peer: Peer, answer: wire.Answer) -> None:
        match answer:
            case wire.Welcome():
                self._welcome(peer, answer)
            case wire.Pong():
                self._pong(peer, answer)
            case wire.Result():
                self._outbox.result(answer.id, answer.result())
            case wire.Busy():
                self._busy(peer, answer)
            case wire.Error():
                self._error(peer, answer)
            case wire.Shadowed():
                self._on_shadow(answer.shadow())

    def _welcome(self, peer: Peer, welcome: wire.Welcome) -> None:
        before = peer.generation
        peer.welcome(welcome)
        if before not in ("", peer.generation):
            self._outbox.learn(before, lives=False)
        self._outbox.learn(peer.generation, lives=True)

    def _pong(self, peer: Peer, pong: wire.Pong) -> None:
        lost = self._outbox.pong(
            peer.endpoint, pong.number, set(pong.held), generation=pong.generation, now_s=self._now_s
        )
        if lost:
            _log.info("inference.sent_again", endpoint=peer.endpoint, requests=lost)
        peer.pong(pong)

    def _busy(self, peer: Peer, busy: wire.Busy) -> None:
        retry_after_s = busy.retry_after_ms / 1e3
        peer.full_until_s = self._now_s + retry_after_s
        has_others = any(other.is_open and other.full_until_s <= self._now_s for other in self._peers.values())
        self._outbox.busy(busy.id, 0.0 if has_others else retry_after_s, self._now_s)

    def _error(self, peer: Peer, error: wire.Error) -> None:
        if error.code == wire.ErrorCode.ARENA and not peer.sends_frames:
            _log.warning("inference.sends_frames", endpoint=peer.endpoint, error=error.message)
            peer.sends_frames = True
        if error.code == wire.ErrorCode.STALE:
            peer.ask_again()
        self._outbox.error(error.id, error.code, error.message)

    def _agree(self) -> None:
        """Prepare inputs for what most workers serve, and tell how the workers are."""
        seen = [(peer.is_open, peer.is_connected, peer.detail, id(peer.served)) for peer in self._peers.values()]
        if seen == self._seen:
            return
        self._seen = seen
        served = [peer.served for peer in self._peers.values() if peer.is_open and peer.served is not None]
        if served:
            inputs = Counter(each.inputs_id for each in served)
            versions = Counter(each.model_version for each in served)
            # A tie keeps what is: while they swap one after the other, inputs are prepared anew once.
            self._served = max(
                served,
                key=lambda each: (inputs[each.inputs_id], versions[each.model_version], each == self._served),
            )
            self._pool.serve(self._served)
        found = self._look(self.state.since)
        if found != self.state:
            self.state = self._look(self._clock.now())

    def _look(self, since: datetime) -> LinkState:
        peers = list(self._peers.values())
        answering = sum(peer.is_connected for peer in peers)
        wrong = [f"{peer.endpoint}: {reason}" for peer in peers if (reason := self._left_out(peer))]
        detail = "; ".join((f"{answering} of {len(peers)} workers answer", *wrong))
        return LinkState(
            is_connected=answering > 0,
            since=since,
            detail=peers[0].detail if len(peers) == 1 else detail,
            answering=answering,
            workers=len(peers),
        )

    def _left_out(self, peer: Peer) -> str:
        """Why a worker gets no new requests; empty when it does."""
        if not peer.is_connected:
            return peer.detail
        if peer.is_draining:
            return "draining"
        if self._served is not None and not peer.may_take(self._served.inputs_id):
            return f"left out, {peer.detail} takes other inputs than most"
        return ""

    def _leave_the_silent(self) -> None:
        if not any(peer.is_open for peer in self._peers.values()):
            return
        for peer in self._peers.values():
            if not peer.is_connected and self._outbox.sent_to(peer.endpoint):
                moved = self._outbox.leave(peer.endpoint, self._now_s)
                _log.warning("inference.moved", endpoint=peer.endpoint, requests=moved)

    def _send_due(self) -> None:
        for request_id, pending in self._outbox.due(self._now_s, self):
            peer = self._peers[pending.worker]
            if self._send(peer, request_id, pending):
                self._sent += 1
                peer.used = self._sent
                self._outbox.sent(request_id, pending, ping=peer.ping, generation=peer.generation)
            else:
                self._outbox.unsent(pending)

    def _send(self, peer: Peer, request_id: int, pending: Pending) -> bool:
        slot = pending.slot
        with_frame = slot is not None and (peer.sends_frames or slot.shm_name is None)
        header = wire.Infer(
            id=request_id,
            inputs_id=pending.inputs_id,
            priority=pending.request.priority,
            deadline_ms=self._deadline_ms,
            is_alone=pending.attempts > 0 or pending.is_alone,
            token_ids=pending.request.token_ids,
            slot=_slot_ref(slot) if slot is not None and not with_frame else None,
            has_frame=with_frame,
            sample=wire.SampleRef.of(sample) if (sample := pending.request.sample) else None,
        )
        return peer.say(header, slot if with_frame else None)

    def _load(self, peer: Peer) -> tuple[bool, int, int]:
        return peer.full_until_s > self._now_s, peer.others + self._outbox.sent_to(peer.endpoint), peer.used

    def _timeout_ms(self) -> int:
        now_s = self._clock.monotonic_s()
        waits_s = [peer.wait_s(now_s) for peer in self._peers.values()]
        next_s = self._outbox.next_s() if self.state.is_connected else None
        if next_s is not None and next_s > now_s:
            waits_s.append(next_s - now_s)
        return ceil(min(waits_s) * 1e3)


def _slot_ref(slot: Slot) -> wire.SlotRef:
    return wire.SlotRef(arena=slot.shm_name or "", offset_bytes=slot.offset_bytes)


def _peers(context: "zmq.Context[zmq.Socket[bytes]]", settings: InferenceSettings) -> dict[str, Peer]:
    peers: dict[str, Peer] = {}
    try:
        for endpoint in dict.fromkeys(settings.endpoints):
            peers[endpoint] = Peer(context, endpoint, client_keys(settings, endpoint))
    except ConfigError:
        context.destroy(linger=0)
        raise
    return peers
