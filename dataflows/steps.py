"""The in-flight step: many answers awaited at once, emitted in order per partition."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

import bytewax.operators as op
from bytewax.operators import KeyedStream, StatefulBatchLogic

from dataflows.wait import StoppingError

X = TypeVar("X")
Y = TypeVar("Y")

POLL = timedelta(milliseconds=5)
DRAIN_S = 20.0


class InFlightLogic(StatefulBatchLogic[X, Y, None], Generic[X, Y]):
    """One partition's items between submit and answer.

    Guarantee: answers leave in the order their items came. The snapshot is empty on purpose: what is unanswered is
    unwritten, and the source starts again from the lowest unwritten record (docs/adr/0002-bytewax-and-delivery.md).
    The window's bound is the source's, which reads only while there is room; this step never blocks.
    """

    def __init__(self, submit: Callable[[X], "Y | Future[Y]"]) -> None:
        self._submit = submit
        self._waiting: deque[Y | Future[Y]] = deque()

    def on_batch(self, values: list[X]) -> tuple[Iterable[Y], bool]:
        """Start each item; emit what is ready at the head."""
        self._waiting.extend(self._submit(value) for value in values)
        return self._ready(), False

    def on_notify(self) -> tuple[Iterable[Y], bool]:
        """Emit what became ready."""
        return self._ready(), False

    def on_eof(self) -> tuple[Iterable[Y], bool]:
        """Drain; what does not answer in time stays unwritten and is read again after the restart."""
        wait([item for item in self._waiting if isinstance(item, Future)], timeout=DRAIN_S)
        return self._ready(), True

    def notify_at(self) -> datetime | None:
        """Soon, while anything waits."""
        return datetime.now(UTC) + POLL if self._waiting else None

    def snapshot(self) -> None:
        """Nothing: see the class."""
        return

    def _ready(self) -> list[Y]:
        answers: list[Y] = []
        while self._waiting:
            head = self._waiting[0]
            if not isinstance(head, Future):
                answers.append(head)
            elif not head.done() or isinstance(head.exception(), StoppingError):
                break
            else:
                answers.append(head.result())
            self._waiting.popleft()
        return answers


def in_flight(step_id: str, up: KeyedStream[X], submit: Callable[[X], "Y | Future[Y]"]) -> KeyedStream[Y]:
    """Submit each item; emit the answers, ordered per key, as they come."""
    return op.stateful_batch(step_id, up, lambda _resume: InFlightLogic(submit))
