"""What heartbeats carry beside their numbers: partitions of a flow, processes of a supervisor, who fell silent."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class PartitionBeat:
    """How far a flow is with one partition, by what it read itself: no broker is asked.

    Attributes:
        read_offset: of the next record to read; None before the first one of a fresh group.
        written_offset: of the lowest record not yet written; what the group's offset follows.
        waiting: records read and not yet written.
        oldest_at: record time of the oldest of them; None when none waits.
    """

    partition: int
    read_offset: int | None
    written_offset: int | None
    waiting: int
    oldest_at: datetime | None = None


@dataclass(frozen=True)
class ProcessBeat:
    """What a supervisor knows of one of its processes.

    Attributes:
        state: waiting, starting, ready, unready, stopped.
        since: when it entered that state.
        pid: 0 while it does not run.
        memory_bytes: of it and its children; 0 while it does not run.
    """

    name: str
    state: str
    since: datetime
    pid: int = 0
    restarts: int = 0
    memory_bytes: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Silent:
    """A process that gave signs of life within the last day and gives none any more."""

    kind: str
    instance: str
    last_at: datetime
