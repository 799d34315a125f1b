"""What a client waits for: which requests are to be sent, which were, and which to send again. Pure; no sockets."""

import random
from collections import deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import chain

from core.errors import InferenceCrashed, InferenceError, InferenceFailed, PlatformError
from models.arena import Slot
from models.client import InferRequest, InferResult
from models.wire import ErrorCode

DEATHS = 3
"""A request that as many workers died with is given up."""
PAUSE_S = 10.0
"""Far longer than a worker computes one request."""


@dataclass(eq=False)
class Pending:
    """A request until its future is resolved.

    Attributes:
        attempts: answers that said a live worker failed on it.
        deaths: workers that died with it; from the first on it is suspect.
        after_ping: the newest Ping when it was sent.
        generation: the worker it was sent to.
        not_before_s: it waits until then.
    """

    request: InferRequest
    inputs_id: str
    future: "Future[InferResult]"
    slot: Slot | None = None
    attempts: int = 0
    deaths: int = 0
    after_ping: int = 0
    generation: str = ""
    not_before_s: float = 0.0


class Outbox:
    """Keeps every request until it has its answer; owned by the client's I/O thread.

    A request may kill the worker, and sent again for ever it would kill every one. Who was there when a worker died is
    suspect, and only that: it is sent again while nothing else of this client is at the worker, one suspect at a time,
    so that the innocent are answered and the guilty is met alone. A request with which a worker died alone too waits a
    random time before its last trial: a worker serves several clients, and the suspect of another may have killed it.

    Only a worker that another one replaced counts. While none answers, nothing is sent and nothing counts; a drained
    one has answered all it took, and what came between its last look and its end counts once, which is never enough.

    Args:
        attempts: how often a live worker may fail on a request.
        max_captions: requests without a clip that may be at the worker; those with one are bounded by the slots.
    """

    def __init__(self, *, attempts: int, max_captions: int) -> None:
        self._attempts = attempts
        self._max_captions = max_captions
        self._waiting: deque[Pending] = deque()
        self._suspects: deque[Pending] = deque()
        self._sent: dict[int, Pending] = {}
        self._captions_sent = 0
        self._next_id = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._suspects) + len(self._sent)

    def add(self, pending: Pending) -> None:
        """Take a new request."""
        self._waiting.append(pending)

    def due(self, now_s: float) -> Iterator[tuple[int, Pending]]:
        """Requests to send now, each under a fresh id; call `sent` or `unsent` for each."""
        suspect = next((pending for pending in self._suspects if pending.not_before_s <= now_s), None)
        if suspect is None and not self._has_sent_suspect():
            yield from self._due_together(now_s)
        elif suspect is not None and not self._sent:
            self._suspects.remove(suspect)
            yield self._new_id(), suspect

    def _due_together(self, now_s: float) -> Iterator[tuple[int, Pending]]:
        for _ in range(len(self._waiting)):
            pending = self._waiting.popleft()
            if pending.not_before_s > now_s or (pending.slot is None and self._captions_sent >= self._max_captions):
                self._waiting.append(pending)
                continue
            yield self._new_id(), pending

    def sent(self, request_id: int, pending: Pending, *, ping: int, generation: str) -> None:
        """Note that it left for a worker after Ping number `ping`."""
        pending.after_ping, pending.generation = ping, generation
        self._sent[request_id] = pending
        self._captions_sent += pending.slot is None

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
        if code == ErrorCode.ARENA:
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

    def pong(self, number: int, held: Collection[int], *, generation: str, now_s: float) -> int:
        """Send again what was sent before this Ping and is not at the worker; returns how many that are.

        What was sent to a worker of another generation died with it; what this one lost was lost on the way.
        """
        lost = [request_id for request_id, pending in self._sent.items() if pending.after_ping < number]
        again = [pending for request_id in lost if request_id not in held and (pending := self._take(request_id))]
        for pending in reversed(again):
            if pending.generation == generation or self._survives(pending, now_s):
                self._queue(pending).appendleft(pending)
        return len(again)

    def fail_all(self, error: PlatformError) -> None:
        """Resolve every future with an error; the client closes."""
        for pending in (*self._waiting, *self._suspects, *self._sent.values()):
            pending.future.set_exception(error)
        self._waiting.clear()
        self._suspects.clear()
        self._sent.clear()

    def _take(self, request_id: int) -> Pending | None:
        pending = self._sent.pop(request_id, None)
        if pending is not None and pending.slot is None:
            self._captions_sent -= 1
        return pending

    def _may_try_again(self, pending: Pending) -> bool:
        pending.attempts += 1
        if pending.attempts >= self._attempts:
            return False
        self._queue(pending).append(pending)
        return True

    def _survives(self, pending: Pending, now_s: float) -> bool:
        pending.deaths += 1
        if pending.deaths >= DEATHS:
            pending.future.set_exception(
                InferenceCrashed(f"{DEATHS} workers died with it, the last with nothing else in hand")
            )
            return False
        if pending.deaths > 1:
            pending.not_before_s = now_s + random.uniform(0, PAUSE_S)  # noqa: S311 - no secret
        return True

    def _queue(self, pending: Pending) -> deque[Pending]:
        return self._suspects if pending.deaths else self._waiting

    def _has_sent_suspect(self) -> bool:
        # It was sent while nothing else was, and nothing was after it.
        return len(self._sent) == 1 and next(iter(self._sent.values())).deaths > 0

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id
