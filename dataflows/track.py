"""Which records are read but not yet written: bounds the process, names the offset to commit, tells the oldest wait."""

import threading
from collections import OrderedDict
from collections.abc import Set as AbstractSet
from datetime import datetime


class InFlight:
    """Records between source and writer, shared by both; thread-safe.

    The offset to commit for a partition is that of its lowest record not yet written: whatever happens to the process,
    the consumer group points at work still to be done, never past it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._open: dict[int, OrderedDict[int, datetime]] = {}
        self._next: dict[int, int] = {}
        self._count = 0

    def began(self, partition: int, offset: int, record_time: datetime) -> None:
        """A record was read."""
        with self._lock:
            waiting = self._open.setdefault(partition, OrderedDict())
            self._count += offset not in waiting
            waiting[offset] = record_time
            self._next[partition] = max(offset + 1, self._next.get(partition, 0))

    def ended(self, partition: int, offset: int) -> None:
        """A record's outcome is durable in the database, on the topic and in Redis."""
        with self._lock:
            self._count -= self._open.get(partition, OrderedDict()).pop(offset, None) is not None

    @property
    def count(self) -> int:
        """Records read and not yet written."""
        return self._count

    def room(self) -> int:
        """How many more records may be read now."""
        return max(0, self._limit - self._count)

    def crowded(self, paused: AbstractSet[int]) -> frozenset[int]:
        """Partitions that hold half of the limit, and those of `paused` that still hold a quarter.

        Their head is slow: reading on would leave no room for the others. Two bars, because reading on after a pause
        costs a fetch of what was at hand already.
        """
        with self._lock:
            held = {partition: len(waiting) for partition, waiting in self._open.items()}
        high, low = self._limit // 2, self._limit // 4
        return frozenset(p for p, count in held.items() if count >= high or (p in paused and count >= low))

    def commit_offsets(self) -> dict[int, int]:
        """Per partition the lowest offset not yet written, or the next to read when all are."""
        with self._lock:
            return {
                partition: next(iter(self._open.get(partition, ())), position)
                for partition, position in self._next.items()
            }

    def oldest_waiting_s(self, now: datetime) -> float:
        """Age of the oldest record not yet written; 0 when none waits."""
        with self._lock:
            heads = [next(iter(waiting.values())) for waiting in self._open.values() if waiting]
        return max(((now - head).total_seconds() for head in heads), default=0.0)
