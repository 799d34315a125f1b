"""What a client waits for: which requests are to be sent, which were, and which to send again. Pure; no sockets."""

import random
from collections import deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from core.errors import InferenceError, InferenceFailed, PlatformError
from models.arena import Slot
from models.client import InferRequest, InferResult
from models.wire import ErrorCode


@dataclass(eq=False)
class Pending:
    """A request until its future is resolved.

    Attributes:
        attempts: answers that said a live worker failed on it.
        after_ping: the newest Ping when it was sent.
        not_before_s: the worker was busy and asked to wait until then.
    """

    request: InferRequest
    inputs_id: str
    future: "Future[InferResult]"
    slot: Slot | None = None
    attempts: int = 0
    after_ping: int = 0
    not_before_s: float = 0.0


class Outbox:
    """Keeps every request until it has its answer; owned by the client's I/O thread.

    Args:
        attempts: how often a live worker may fail on a request.
        max_captions: requests without a clip that may be at the worker; those with one are bounded by the slots.
    """

    def __init__(self, *, attempts: int, max_captions: int) -> None:
        self._attempts = attempts
        self._max_captions = max_captions
        self._waiting: deque[Pending] = deque()
        self._sent: dict[int, Pending] = {}
        self._captions_sent = 0
        self._next_id = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._sent)

    def add(self, pending: Pending) -> None:
        """Take a new request."""
        self._waiting.append(pending)

    def due(self, now_s: float) -> Iterator[tuple[int, Pending]]:
        """Requests to send now, each under a fresh id; call `sent` or `unsent` for each."""
        for _ in range(len(self._waiting)):
            pending = self._waiting.popleft()
            if pending.not_before_s > now_s or (pending.slot is None and self._captions_sent >= self._max_captions):
                self._waiting.append(pending)
                continue
            self._next_id += 1
            yield self._next_id, pending

    def sent(self, request_id: int, pending: Pending, *, ping: int) -> None:
        """Note that it left after Ping number `ping`."""
        pending.after_ping = ping
        self._sent[request_id] = pending
        self._captions_sent += pending.slot is None

    def unsent(self, pending: Pending) -> None:
        """Put it back: the socket takes no more."""
        self._waiting.appendleft(pending)

    def next_s(self) -> float | None:
        """When a waiting request may be sent; None when none waits."""
        return min((pending.not_before_s for pending in self._waiting), default=None)

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
            self._waiting.append(pending)
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
            self._waiting.append(pending)

    def pong(self, number: int, held: Collection[int]) -> int:
        """Send again what was sent before this Ping and is not at the worker; returns how many that are."""
        lost = [request_id for request_id, pending in self._sent.items() if pending.after_ping < number]
        again = [pending for request_id in lost if request_id not in held and (pending := self._take(request_id))]
        self._waiting.extendleft(reversed(again))
        return len(again)

    def fail_all(self, error: PlatformError) -> None:
        """Resolve every future with an error; the client closes."""
        for pending in (*self._waiting, *self._sent.values()):
            pending.future.set_exception(error)
        self._waiting.clear()
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
        self._waiting.append(pending)
        return True
