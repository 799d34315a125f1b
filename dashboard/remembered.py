"""What a database said last, kept a while and told with its age when the database says nothing. Pure."""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from core.clock import Clock
from core.errors import StoreUnavailable

RETRY_S = 5.0
"""A database that did not answer is not asked for so long: a page of ten blocks would wait ten times."""
MAX_KEPT = 300
_LOCKS = 64

T = TypeVar("T")


@dataclass(frozen=True)
class Known(Generic[T]):
    """An answer.

    Attributes:
        at: when it was given.
        down_since: since when the database gives none; None while this answer is fresh.
    """

    value: T
    at: datetime
    down_since: datetime | None = None


class Remembered:
    """Answers for all viewers. Whoever asks must have checked the right before: what is kept knows no person.

    Safe to share between threads; who asks while somebody else asks the same waits for that answer.

    Args:
        fresh_s: how long an answer is given again.
    """

    def __init__(self, clock: Clock, *, fresh_s: float) -> None:
        self._clock = clock
        self._fresh_s = fresh_s
        self._kept: dict[Hashable, tuple[float, Known[Any]]] = {}
        self._down_since: datetime | None = None
        self._retry_at_s = 0.0
        self._lock = threading.Lock()
        # A key's own is one of a few: two keys that share one wait for each other, and nothing grows.
        self._asking = tuple(threading.Lock() for _ in range(_LOCKS))

    @property
    def down_since(self) -> datetime | None:
        """The first question in a row without an answer."""
        return self._down_since

    def get(self, key: Hashable, ask: Callable[[], T]) -> Known[T]:
        """The answer, fresh or as it was last.

        Raises:
            StoreUnavailable: there is none, and never was.
        """
        with self._asking[hash(key) % _LOCKS]:
            return self._get(key, ask)

    def _get(self, key: Hashable, ask: Callable[[], T]) -> Known[T]:
        now_s = self._clock.monotonic_s()
        with self._lock:
            asked_s, known = self._kept.get(key, (0.0, None))
        if known is not None and now_s - asked_s < self._fresh_s:
            return cast("Known[T]", known)
        try:
            return self._ask(key, ask)
        except StoreUnavailable:
            self._note_down()
            if known is None:
                raise
            return Known(known.value, known.at, self._down_since)

    def _ask(self, key: Hashable, ask: Callable[[], T]) -> Known[T]:
        if self._down_since and self._clock.monotonic_s() < self._retry_at_s:
            raise StoreUnavailable("the database did not answer a moment ago")
        known = Known(ask(), self._clock.now())
        with self._lock:
            self._down_since = None
            self._kept.pop(key, None)
            self._kept[key] = (self._clock.monotonic_s(), known)
            if len(self._kept) > MAX_KEPT:
                self._kept.pop(next(iter(self._kept)))
        return known

    def _note_down(self) -> None:
        with self._lock:
            if self._down_since is None or self._clock.monotonic_s() >= self._retry_at_s:
                self._retry_at_s = self._clock.monotonic_s() + RETRY_S
            self._down_since = self._down_since or self._clock.now()
