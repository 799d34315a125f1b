"""Which requests the worker computes next: a pure rule, time comes in by argument.

Requests that cost the same to pad together share a queue. A batch is due when its queue is full or its oldest request
has waited long enough; among due queues the one with the oldest head goes first, so that none starves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from models.client import Priority

T = TypeVar("T")

HEAD_START_S = 2.0
"""A request goes before those of the next lower priority that came up to this much earlier; nobody starves."""


@dataclass(frozen=True)
class Key:
    """What requests must share to share a batch.

    Attributes:
        tokens: token ids are padded to this; 0 without a caption.
        is_alone: a request that failed before is computed by itself.
    """

    tokens: int
    has_clip: bool
    is_alone: bool = False


def text_buckets(max_tokens: int) -> tuple[int, ...]:
    """The lengths captions are padded to: 16, doubled until max_tokens is reached."""
    buckets = [16]
    while buckets[-1] < max_tokens:
        buckets.append(buckets[-1] * 2)
    return (*buckets[:-1], max_tokens)


def text_bucket(length: int, buckets: Sequence[int]) -> int:
    """The smallest bucket that holds `length` ids; 0 for no ids. The caller has checked the longest."""
    return 0 if length == 0 else next(bucket for bucket in buckets if bucket >= length)


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A request in the queue; times are monotonic seconds."""

    item: T
    key: Key
    priority: int
    accepted_s: float
    expires_s: float

    @property
    def rank_s(self) -> float:
        """The instant it counts as accepted."""
        return self.accepted_s - self.priority * HEAD_START_S


class Batcher(Generic[T]):
    """Bounded queues of entries, one per key.

    Args:
        limit: the largest batch of a key.
        max_wait_s: how long a batch that is not full waits for more.
        max_queue: entries over all keys.
    """

    def __init__(self, *, limit: Callable[[Key], int], max_wait_s: float, max_queue: int) -> None:
        self._limit = limit
        self._max_wait_s = max_wait_s
        self._max_queue = max_queue
        self._queues: dict[Key, list[Entry[T]]] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def offer(self, entry: Entry[T]) -> bool:
        """Take an entry; False when the queue is full."""
        if self._size >= self._max_queue:
            return False
        self._queues.setdefault(entry.key, []).append(entry)
        self._size += 1
        return True

    def next(self, now_s: float, *, flush: bool = False) -> list[T]:
        """The batch to compute now, oldest rank first; empty when none is due. With `flush` any entry is due."""
        return self._taken(self._chosen(now_s, flush=flush))

    def next_full(self, now_s: float) -> list[T] | None:
        """The same batch, if nothing that may still come could join it or go before it.

        A batch that is not full and whose turn it is keeps full ones back too, so that these starve nobody.

        Returns:
            None while no queue is full, which costs little to ask; empty when the batch may still change.
        """
        if not any(len(queue) >= self._limit(key) for key, queue in self._queues.items()):
            return None
        batch = self._chosen(now_s)
        is_full = bool(batch) and len(batch) >= self._limit(batch[0].key)
        return self._taken(batch) if is_full and all(entry.priority == max(Priority) for entry in batch) else []

    def due_s(self) -> float | None:
        """When the next batch is due; None when nothing waits."""
        return min((self._due_s(key, queue) for key, queue in self._queues.items()), default=None)

    def drop(self, unwanted: Callable[[Entry[T]], bool]) -> list[T]:
        """Remove entries, e.g. those whose deadline passed or whose client is gone; returns them."""
        dropped = [entry for queue in self._queues.values() for entry in queue if unwanted(entry)]
        for key in {entry.key for entry in dropped}:
            self._remove(key, dropped)
        return [entry.item for entry in dropped]

    def _chosen(self, now_s: float, *, flush: bool = False) -> list[Entry[T]]:
        due = [key for key, queue in self._queues.items() if flush or self._due_s(key, queue) <= now_s]
        if not due:
            return []
        key = min(due, key=lambda key: min(entry.rank_s for entry in self._queues[key]))
        return sorted(self._queues[key], key=lambda entry: entry.rank_s)[: self._limit(key)]

    def _taken(self, batch: Sequence[Entry[T]]) -> list[T]:
        if batch:
            self._remove(batch[0].key, batch)
        return [entry.item for entry in batch]

    def _due_s(self, key: Key, queue: list[Entry[T]]) -> float:
        if len(queue) >= self._limit(key):
            return float("-inf")
        # Queues stay in order of arrival.
        return queue[0].accepted_s + self._max_wait_s

    def _remove(self, key: Key, entries: Sequence[Entry[T]]) -> None:
        gone = {id(entry) for entry in entries}
        left = [entry for entry in self._queues[key] if id(entry) not in gone]
        self._size -= len(self._queues[key]) - len(left)
        if left:
            self._queues[key] = left
        else:
            del self._queues[key]
