"""Reads that never hold up a page: done in the background, the last answer is shown with since when it is missing."""

import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar

from core.clock import Clock
from core.errors import BrokerUnavailable, DependencyError, StoreUnavailable

T = TypeVar("T")

PATIENCE_S = 1.0
"""How long a page waits for an answer that is on its way."""
HANGS_AFTER_S = 4.0
"""A read under way for so long is a store that does not answer; until then it is only slow."""
AT_MOST_BUSY = 0.1
"""Of the time a read may take up: one that takes a second is asked again after ten."""
CONNECT_S = 1.5
POOL = ThreadPoolExecutor(12, thread_name_prefix="watched")


@dataclass(frozen=True)
class Look(Generic[T]):
    """What a read last said.

    Attributes:
        value: the last answer; None before the first.
        at: when it was asked for.
        took_s: how long that answer took.
        down_since: the first failed or hanging read in a row; None while it answers.
    """

    value: T | None = None
    at: datetime | None = None
    took_s: float | None = None
    down_since: datetime | None = None
    reason: str = ""


class Watched(Generic[T]):
    """One read, shared by all viewers: at most one is under way, at most every `every_s`, seldomer where it is slow."""

    def __init__(self, read: Callable[[], T], clock: Clock, *, every_s: float) -> None:
        self._read = read
        self._clock = clock
        self._every_s = every_s
        self._lock = Lock()
        self._look: Look[T] = Look()
        self._asking: Future[None] | None = None
        self._asked_s: float | None = None
        self._began: tuple[float, datetime] = (0.0, clock.now())

    def look(self, *, patience_s: float = PATIENCE_S) -> Look[T]:
        """The last answer, a new one where it is due and comes soon."""
        with self._lock:
            asking = self._asking if self._asking is not None and not self._asking.done() else None
            if asking is None and self._is_due():
                self._asked_s = self._clock.monotonic_s()
                self._began = (self._asked_s, self._clock.now())
                asking = self._asking = POOL.submit(self._ask, *self._began)
        if asking is None:
            return self._look
        try:
            asking.result(timeout=patience_s)
        except NotYetError:
            return self._hanging()
        return self._look

    def forget(self) -> None:
        """Read anew at the next look."""
        self._asked_s = None

    def _is_due(self) -> bool:
        if self._asked_s is None:
            return True
        every_s = max(self._every_s, (self._look.took_s or 0.0) / AT_MOST_BUSY)
        return self._clock.monotonic_s() - self._asked_s >= every_s

    def _hanging(self) -> Look[T]:
        """The last answer, beside a read that is slow, or that takes so long that the store must be called down."""
        look, (began_s, began_at) = self._look, self._began
        if self._clock.monotonic_s() - began_s < HANGS_AFTER_S:
            return look
        return replace(look, down_since=look.down_since or began_at, reason=look.reason or "no answer yet")

    def _ask(self, began_s: float, began_at: datetime) -> None:
        try:
            value = self._read()
        except DependencyError as error:
            self._look = replace(self._look, down_since=self._look.down_since or began_at, reason=str(error))
        else:
            self._look = Look(value, began_at, self._clock.monotonic_s() - began_s)


def soon(read: Callable[[], T], *, within_s: float = 2.0) -> T:
    """The answer of a read that is this viewer's alone.

    Raises:
        StoreUnavailable: it did not come in time.
    """
    try:
        return POOL.submit(read).result(timeout=within_s)
    except NotYetError as error:
        raise StoreUnavailable(f"no answer within {within_s:.0f} s") from error


def knock(brokers: str) -> None:
    """Pass when one of the addresses takes a connection.

    Raises:
        BrokerUnavailable: none does.
    """
    reasons = []
    for address in brokers.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=CONNECT_S).close()
        except (OSError, ValueError) as error:
            reasons.append(f"{address.strip()}: {error}")
        else:
            return
    raise BrokerUnavailable("; ".join(reasons))
