"""What a client waits for: which requests are to be sent, which were, and which to send again. Pure; no sockets."""

import random
from collections import Counter, deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

from core.errors import InferenceCrashed, InferenceError, InferenceFailed, InferenceStale, PlatformError
from models.arena import Slot
from models.client import InferRequest, InferResult
from models.wire import ErrorCode

DEATHS = 3
"""A request that as many workers died with is given up."""
PAUSE_S = 10.0
"""Far longer than a worker computes one request."""
_LOSSES = 2
"""As many workers that fell silent with a request, dead or not, make it suspect."""


@dataclass(eq=False)
class Pending:
    """A request until its future is resolved.

    Attributes:
        attempts: answers that said a live worker failed on it.
        deaths: workers that died with it.
        lost_with: generations that fell silent with it and were not heard of since: dead or not, nobody knows yet.
        worker: the endpoint it was sent to.
        generation: the process it was sent to.
        after_ping: the newest Ping to that worker when it was sent.
        is_alone: it was sent while nothing else of this client was at its worker.
        not_before_s: it waits until then.
    """

    request: InferRequest
    inputs_id: str
    future: "Future[InferResult]"
    slot: Slot | None = None
    attempts: int = 0
    deaths: int = 0
    lost_with: set[str] = field(default_factory=set)
    worker: str = ""
    generation: str = ""
    after_ping: int = 0
    is_alone: bool = False
    not_before_s: float = 0.0

    @property
    def is_suspect(self) -> bool:
        """Whether it may be what workers die of."""
        return self.deaths > 0 or len(self.lost_with) >= _LOSSES


class Workers(Protocol):
    """The choice among the workers that answer."""

    def choose(self, inputs_id: str, without: Collection[str]) -> str | None:
        """The endpoint of the least loaded one that serves it; None while it has to wait."""
        ...

    def is_stale(self, inputs_id: str) -> bool:
        """Whether workers answer, and none of them serves it any more."""
        ...


class Outbox:
    """Keeps every request until it has its answer; owned by the client's I/O thread.

    A request may kill the worker, and sent again for ever it would kill every one. Who was there when a worker died is
    suspect, and only that: it is sent again while nothing else of this client is at its worker, one suspect at a time,
    so that the innocent are answered and the guilty is met alone. A request with which a worker died alone too waits a
    random time before its last trial: a worker serves several clients, and the suspect of another may have killed it.

    Only a worker that another one replaced counts as dead. What a silent one holds goes to another at once, and counts
    when its fate is known. While none answers, nothing is sent and nothing counts; a drained one has answered all it
    took, and what came between its last look and its end counts once, which is never enough.

    Args:
        attempts: how often a live worker may fail on a request.
        max_captions: requests without a clip that may be at one worker; those with one are bounded by the slots.
    """

    def __init__(self, *, attempts: int, max_captions: int) -> None:
        self._attempts = attempts
        self._max_captions = max_captions
        self._waiting: deque[Pending] = deque()
        self._suspects: deque[Pending] = deque()
        self._sent: dict[int, Pending] = {}
        self._sent_to: Counter[str] = Counter()
        self._captions_at: Counter[str] = Counter()
        self._alone_at: str | None = None
        self._next_id = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._suspects) + len(self._sent)

    def add(self, pending: Pending) -> None:
        """Take a new request."""
        self._waiting.append(pending)

    def sent_to(self, worker: str) -> int:
        """How many requests are at a worker."""
        return self._sent_to[worker]

    def due(self, now_s: float, workers: Workers) -> Iterator[tuple[int, Pending]]:
        """Requests to send now to their `worker`, each under a fresh id; call `sent` or `unsent` for each."""
        reserved = self._alone_at
        if reserved is None and (suspect := self._due_suspect(now_s)) is not None:
            reserved = workers.choose(suspect.inputs_id, ())
            if reserved is not None and not self._sent_to[reserved]:
                self._suspects.remove(suspect)
                yield self._outgoing(suspect, reserved, is_alone=True)
        yield from self._due_together(now_s, workers, {reserved} if reserved is not None else set())

    def _due_suspect(self, now_s: float) -> Pending | None:
        return next((pending for pending in self._suspects if pending.not_before_s <= now_s), None)

    def _due_together(self, now_s: float, workers: Workers, reserved: set[str]) -> Iterator[tuple[int, Pending]]:
        # What found no worker in this turn finds none for its like either.
        hopeless: set[tuple[str, bool]] = set()
        for _ in range(len(self._waiting)):
            pending = self._waiting.popleft()
            kind = (pending.inputs_id, pending.slot is None)
            if pending.not_before_s > now_s or kind in hopeless:
                self._waiting.append(pending)
                continue
            full = {name for name, count in self._captions_at.items() if count >= self._max_captions}
            worker = workers.choose(pending.inputs_id, reserved | full if pending.slot is None else reserved)
            if worker is not None:
                yield self._outgoing(pending, worker, is_alone=False)
            elif workers.is_stale(pending.inputs_id):
                pending.future.set_exception(InferenceStale("no worker takes such inputs any more"))
            else:
                hopeless.add(kind)
                self._waiting.append(pending)

    def sent(self, request_id: int, pending: Pending, *, ping: int, generation: str) -> None:
        """Note that it left for its worker after Ping number `ping`."""
        pending.after_ping, pending.generation = ping, generation
        self._sent[request_id] = pending
        self._sent_to[pending.worker] += 1
        self._captions_at[pending.worker] += pending.slot is None
        if pending.is_alone:
            self._alone_at = pending.worker

    def unsent(self, pending: Pending) -> None:
        """Put it back: the socket takes no more."""
        self._queue(pending).appendleft(pending)

    def next_s(self) -> float | None:
        """When a waiting request may be sent; None when none waits."""
        return min((pending.not_before_s for pending in chain(self._waiting, self._suspects)), default=None)

    def result(self, request_id: int, result: InferResult) -> None:
        """Scores came; where a modality failed the request is tried again, and the last scores count."""
        pending = self._take(request_id)
        if pending is None:
            return
        if InferenceFailed.code in result.codes.values() and self._may_try_again(pending):
            return
        pending.future.set_result(result)

    def error(self, request_id: int, code: str, message: str) -> None:
        """The worker has no scores for it."""
        pending = self._take(request_id)
        if pending is None:
            return
        if code in (ErrorCode.ARENA, ErrorCode.STALE):
            # Another worker may still take it; `due` knows when none does.
            self._queue(pending).append(pending)
            return
        error = InferenceError.from_code(code, message)
        if isinstance(error, InferenceFailed) and self._may_try_again(pending):
            return
        pending.future.set_exception(error)

    def busy(self, request_id: int, retry_after_s: float, now_s: float) -> None:
        """Not accepted: sent again after the hint, however often that happens."""
        pending = self._take(request_id)
        if pending is not None:
            # Spread, so that clients which were refused together do not come back together.
            pending.not_before_s = now_s + retry_after_s * random.uniform(0.75, 1.5)  # noqa: S311 - no secret
            self._queue(pending).append(pending)

    def pong(self, worker: str, number: int, held: Collection[int], *, generation: str, now_s: float) -> int:
        """Send again what was sent before this Ping and is not at the worker; returns how many that are.

        What was sent to a worker of another generation died with it; what this one lost was lost on the way.
        """
        again = self._take_all(
            request_id
            for request_id, pending in self._sent.items()
            if pending.worker == worker and pending.after_ping < number and request_id not in held
        )
        for pending in reversed(again):
            if pending.generation != generation:
                pending.deaths += 1
                self._pause_if_alone(pending, now_s)
            self._requeue(pending)
        return len(again)

    def leave(self, worker: str, now_s: float) -> int:
        """Send elsewhere what is at a worker that does not answer; returns how many that are."""
        again = self._take_all(request_id for request_id, pending in self._sent.items() if pending.worker == worker)
        for pending in reversed(again):
            pending.lost_with.add(pending.generation)
            self._pause_if_alone(pending, now_s)
            self._requeue(pending)
        return len(again)

    def learn(self, generation: str, *, lives: bool) -> None:
        """The fate of a worker that fell silent: it is back, or another one is in its place."""
        concerned = [pending for pending in self._everything() if generation in pending.lost_with]
        for pending in concerned:
            pending.lost_with.remove(generation)
            pending.deaths += not lives
        if not lives and concerned:
            queued = (*self._suspects, *self._waiting)
            self._suspects.clear()
            self._waiting.clear()
            for pending in reversed(queued):
                self._requeue(pending)

    def fail_all(self, error: PlatformError) -> None:
        """Resolve every future with an error; the client closes."""
        for pending in self._everything():
            pending.future.set_exception(error)
        self._waiting.clear()
        self._suspects.clear()
        self._sent.clear()

    def _everything(self) -> tuple[Pending, ...]:
        return (*self._waiting, *self._suspects, *self._sent.values())

    def _take_all(self, request_ids: Iterator[int]) -> list[Pending]:
        return [pending for request_id in list(request_ids) if (pending := self._take(request_id)) is not None]

    def _take(self, request_id: int) -> Pending | None:
        pending = self._sent.pop(request_id, None)
        if pending is not None:
            self._sent_to[pending.worker] -= 1
            self._captions_at[pending.worker] -= pending.slot is None
            if pending.is_alone:
                self._alone_at = None
        return pending

    def _may_try_again(self, pending: Pending) -> bool:
        pending.attempts += 1
        if pending.attempts >= self._attempts:
            return False
        self._queue(pending).append(pending)
        return True

    def _pause_if_alone(self, pending: Pending, now_s: float) -> None:
        if pending.is_alone:
            pending.not_before_s = now_s + random.uniform(0, PAUSE_S)  # noqa: S311 - no secret

    def _requeue(self, pending: Pending) -> None:
        if pending.deaths >= DEATHS:
            message = f"{DEATHS} workers died with it, the last with nothing else in hand"
            pending.future.set_exception(InferenceCrashed(message))
        else:
            self._queue(pending).appendleft(pending)

    def _queue(self, pending: Pending) -> deque[Pending]:
        return self._suspects if pending.is_suspect else self._waiting

    def _outgoing(self, pending: Pending, worker: str, *, is_alone: bool) -> tuple[int, Pending]:
        pending.worker, pending.is_alone = worker, is_alone
        self._next_id += 1
        return self._next_id, pending
