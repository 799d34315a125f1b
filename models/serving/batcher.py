"""Which requests the worker computes next: a pure rule, time comes in by argument.

Requests that cost the same to pad together share a queue. A batch is due when its queue is full or its oldest request
has waited long enough. Clients take turns, request by request: one that floods waits behind itself, not the others
behind it. Among due queues the one with the request that is next goes first, so that none starves.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

from models.client import Priority

T = TypeVar("T")

HEAD_START_S = 2.0
"""So long a request lets all of the next higher priority go first; nobody starves."""
CREDIT_TURNS = 64
"""Turns that a client saves up while it has nothing to compute; more, and coming back it would keep others waiting."""


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
    client: bytes = b""

    def yields(self, now_s: float) -> bool:
        """Whether live ones go first."""
        return now_s < self.accepted_s + (Priority.LIVE - self.priority) * HEAD_START_S


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
        self._waiting: Counter[bytes] = Counter()
        self._turns: dict[bytes, int] = {}
        self._furthest = 0

    def __len__(self) -> int:
        return self._size

    def offer(self, entry: Entry[T]) -> Entry[T] | None:
        """Take an entry; when the queue is full, returns the one that has no room.

        That is the newest of the client with the most entries, so that a flood shuts out nobody but itself.
        """
        out = self._without_room(entry) if self._size >= self._max_queue else None
        if out is entry:
            return entry
        if out is not None:
            self._remove(out.key, [out])
        self._queues.setdefault(entry.key, []).append(entry)
        self._size += 1
        self._waiting[entry.client] += 1
        return out

    def next(self, now_s: float, *, flush: bool = False) -> list[T]:
        """The batch to compute now, whose turn it is first; empty when none is due. With `flush` any entry is due."""
        return self._taken(self._chosen(now_s, flush=flush))

    def next_full(self, now_s: float) -> list[T] | None:
        """The same batch, if nothing that may still come could join it or go before it.

        A batch that is not full and whose turn it is keeps full ones back too, so that these starve nobody.
        Only a client that had fewer turns might: it then waits for this batch as well, and for no other.

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
        dropped = [entry for entry in self._entries() if unwanted(entry)]
        for key in {entry.key for entry in dropped}:
            self._remove(key, [entry for entry in dropped if entry.key == key])
        return [entry.item for entry in dropped]

    def _chosen(self, now_s: float, *, flush: bool = False) -> list[Entry[T]]:
        due = [key for key, queue in self._queues.items() if flush or self._due_s(key, queue) <= now_s]
        if not due:
            return []
        order = self._order(now_s)
        key = min(due, key=lambda key: min(order[id(entry)] for entry in self._queues[key]))
        return sorted(self._queues[key], key=lambda entry: order[id(entry)])[: self._limit(key)]

    def _taken(self, batch: Sequence[Entry[T]]) -> list[T]:
        if batch:
            self._remove(batch[0].key, batch)
            self._count(batch)
        return [entry.item for entry in batch]

    def _entries(self) -> Iterable[Entry[T]]:
        return chain.from_iterable(self._queues.values())

    def _order(self, now_s: float) -> dict[int, tuple[bool, int, float]]:
        """By what entries are sorted: who need not yield, then whose client had fewer turns, then who came first."""
        turns: dict[bytes, int] = {}
        order = {}
        for entry in sorted(self._entries(), key=lambda entry: (entry.yields(now_s), entry.accepted_s)):
            turn = turns.get(entry.client)
            if turn is None:
                turn = self._turn(entry.client)
            turns[entry.client] = turn + 1
            order[id(entry)] = (entry.yields(now_s), turn, entry.accepted_s)
        return order

    def _turn(self, client: bytes) -> int:
        return max(self._turns.get(client, 0), self._furthest - CREDIT_TURNS)

    def _count(self, batch: Sequence[Entry[T]]) -> None:
        for entry in batch:
            self._turns[entry.client] = self._turn(entry.client) + 1
        self._furthest = max(self._furthest, *(self._turns[entry.client] for entry in batch))
        # The others are as far behind as they can be.
        self._turns = {client: turn for client, turn in self._turns.items() if turn > self._furthest - CREDIT_TURNS}

    def _without_room(self, entry: Entry[T]) -> Entry[T]:
        client, most = self._waiting.most_common(1)[0]
        if self._waiting[entry.client] + 1 >= most:
            return entry
        # The last of those that came together.
        own = reversed([one for one in self._entries() if one.client == client])
        return max(own, key=lambda one: (-one.priority, one.accepted_s))

    def _due_s(self, key: Key, queue: list[Entry[T]]) -> float:
        if len(queue) >= self._limit(key):
            return float("-inf")
        # Queues stay in order of arrival.
        return queue[0].accepted_s + self._max_wait_s

    def _remove(self, key: Key, entries: Sequence[Entry[T]]) -> None:
        gone = {id(entry) for entry in entries}
        left = [entry for entry in self._queues[key] if id(entry) not in gone]
        self._size -= len(entries)
        self._waiting -= Counter(entry.client for entry in entries)
        if left:
            self._queues[key] = left
        else:
            del self._queues[key]
