"""Which records are read but not yet written: bounds the process, names the offset to commit, tells the oldest wait."""

import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from core.storage.beats import PartitionBeat


class _Record(NamedTuple):
    record_time: datetime
    size_bytes: int


@dataclass
class _Partition:
    waiting: OrderedDict[int, _Record] = field(default_factory=OrderedDict)
    held_bytes: int = 0
    next_offset: int = 0


class InFlight:
    """Records between source and writer, shared by both; thread-safe.

    The offset to commit for a partition is that of its lowest record not yet written: whatever happens to the process,
    the consumer group points at work still to be done, never past it.

    Bounded in records and in bytes. Videos have no bound of their own: what waits for a decoder has cost nothing but
    its reading, so a crash repeats no work on it; what a crash does repeat, clips decoded and not yet written, the
    slots and the decoders bound; and a bound on videos would make the captions behind them wait on the broker.

    Args:
        limit: records.
        limit_bytes: of the records as they were read; a larger one passes alone.
    """

    def __init__(self, limit: int, *, limit_bytes: int = sys.maxsize) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._partitions: dict[int, _Partition] = {}
        self._count = 0
        self._held_bytes = 0
        self._starts: Mapping[int, int] = {}
        self.written = 0
        """Records whose outcome is durable, since the start of the process."""

    def assigned(self, starts: Mapping[int, int]) -> None:
        """These partitions are read, from these offsets on; a negative one: from wherever the topic begins."""
        with self._lock:
            self._starts = dict(starts)

    def began(self, partition: int, offset: int, record_time: datetime, *, size_bytes: int) -> None:
        """A record was read."""
        with self._lock:
            mine = self._partitions.setdefault(partition, _Partition())
            if offset not in mine.waiting:
                self._add(mine, 1, size_bytes)
                mine.waiting[offset] = _Record(record_time, size_bytes)
            mine.next_offset = max(offset + 1, mine.next_offset)

    def ended(self, partition: int, offset: int) -> None:
        """A record's outcome is durable in the database, on the topic and in Redis."""
        with self._lock:
            mine = self._partitions.get(partition, _Partition())
            if (record := mine.waiting.pop(offset, None)) is not None:
                self._add(mine, -1, -record.size_bytes)
                self.written += 1

    @property
    def count(self) -> int:
        """Records read and not yet written."""
        return self._count

    @property
    def held_bytes(self) -> int:
        """Their size as they were read."""
        return self._held_bytes

    def room(self) -> int:
        """How many more records may be read now; none while their bytes are at the limit."""
        return max(0, self._limit - self._count) if self._held_bytes < self._limit_bytes else 0

    def crowded(self, paused: AbstractSet[int]) -> frozenset[int]:
        """Partitions that hold half of a limit, and those of `paused` that still hold a quarter.

        Their head is slow: reading on would leave no room for the others. Two bars, because reading on after a pause
        costs a fetch of what was at hand already.
        """
        with self._lock:
            held = {partition: self._load(mine) for partition, mine in self._partitions.items()}
        return frozenset(p for p, load in held.items() if load >= 1 / 2 or (p in paused and load >= 1 / 4))

    def commit_offsets(self) -> dict[int, int]:
        """Per partition the lowest offset not yet written, or the next to read when all are."""
        with self._lock:
            return {
                partition: next(iter(mine.waiting), mine.next_offset) for partition, mine in self._partitions.items()
            }

    def oldest_waiting_s(self, now: datetime) -> float:
        """Age of the oldest record not yet written; 0 when none waits."""
        with self._lock:
            heads = [next(iter(mine.waiting.values())) for mine in self._partitions.values() if mine.waiting]
        return max(((now - head.record_time).total_seconds() for head in heads), default=0.0)

    def positions(self) -> tuple[PartitionBeat, ...]:
        """How far each partition is, also those of which nothing was read yet."""
        with self._lock:
            return tuple(self._position(partition) for partition in sorted({*self._starts, *self._partitions}))

    def _position(self, partition: int) -> PartitionBeat:
        mine = self._partitions.get(partition)
        if mine is None:
            start = self._starts[partition]
            at = start if start >= 0 else None
            return PartitionBeat(partition, at, at, 0)
        written = next(iter(mine.waiting), mine.next_offset)
        oldest_at = min((record.record_time for record in mine.waiting.values()), default=None)
        return PartitionBeat(partition, mine.next_offset, written, len(mine.waiting), oldest_at)

    def _add(self, mine: _Partition, records: int, size_bytes: int) -> None:
        self._count += records
        self._held_bytes += size_bytes
        mine.held_bytes += size_bytes

    def _load(self, mine: _Partition) -> float:
        return max(len(mine.waiting) / self._limit, mine.held_bytes / self._limit_bytes)
