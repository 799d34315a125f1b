"""Heartbeats → one row per process and per partition: what runs, what is gone, what nobody reads. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.storage.beats import PartitionBeat, ProcessBeat, Silent
from core.storage.ports import Beats, Heartbeat
from core.topics import VIDEO_POSTED

SUPERVISOR = "supervisor"
OPERATIONS = "operations"
FLOW = "flow"
WORKER = "worker"
GONE = "gone"
GONE_FOR = timedelta(hours=1)
QUEUES = ("queue_requests", "in_flight_videos", "waiting_events", "uploads")
"""What waits inside a process, as each kind calls it."""


@dataclass(frozen=True)
class ProcessRow:
    """One process as the page shows it.

    Attributes:
        name: the supervisor's where it supervises it, else kind and instance.
        state: ready, starting, waiting, unready, stopped, draining, or gone.
        is_supervised: whether start, stop and restart can be commanded.
    """

    name: str
    state: str
    detail: str = ""
    version: str = ""
    uptime_s: float | None = None
    per_min: float | None = None
    queue: float | None = None
    memory_bytes: float | None = None
    error: str = ""
    error_at: datetime | None = None
    restarts: int = 0
    last_at: datetime | None = None
    is_supervised: bool = False
    beat: Heartbeat | None = field(default=None, repr=False)


@dataclass(frozen=True)
class PartitionRow:
    """One partition of `video.posted.v1`; `beat` is None where no flow that lives reads it."""

    partition: int
    share: str = ""
    beat: PartitionBeat | None = None


def process_rows(beats: Beats, now: datetime) -> list[ProcessRow]:
    """Supervised processes in start order, then the others, then those that are gone."""
    by_process = {(beat.host, beat.pid): beat for beat in beats.alive}
    supervisors = [beat for beat in beats.alive if beat.kind == SUPERVISOR]
    rows, met = [], set()
    for supervisor in supervisors:
        rows.append(_of_beat(supervisor))
        for told in supervisor.processes:
            beat = by_process.get((supervisor.host, told.pid)) if told.pid else None
            met.add(id(beat))
            rows.append(_supervised(told, beat, now))
    others = (beat for beat in beats.alive if beat.kind != SUPERVISOR and id(beat) not in met)
    rows += sorted(map(_of_beat, others), key=lambda row: row.name)
    # Where a supervisor lives, it knows what became of those it started.
    gone = () if supervisors else _gone(beats, now)
    return rows + [ProcessRow(_name(one.kind, one.instance), GONE, last_at=one.last_at) for one in gone]


def executor(beats: Beats) -> str | None:
    """The kind of process that executes commands here; None while none lives."""
    kinds = {beat.kind for beat in beats.alive}
    return next((kind for kind in (SUPERVISOR, OPERATIONS) if kind in kinds), None)


def partition_rows(beats: Beats) -> list[PartitionRow]:
    """Every partition of the topic, in order."""
    read = {
        position.partition: PartitionRow(position.partition, beat.instance, position)
        for beat in beats.alive
        if beat.kind == FLOW
        for position in beat.partitions
    }
    return [read.get(number, PartitionRow(number)) for number in range(VIDEO_POSTED.partitions)]


def _supervised(told: ProcessBeat, beat: Heartbeat | None, now: datetime) -> ProcessRow:
    is_running = told.pid != 0
    said = _of_beat(beat) if beat is not None else ProcessRow(told.name, told.state)
    uptime_s = said.uptime_s if beat is not None else (now - told.since).total_seconds() if is_running else None
    return ProcessRow(
        name=told.name,
        state=told.state if told.state != "ready" or beat is None else said.state,
        detail=told.detail or said.detail,
        version=said.version,
        uptime_s=uptime_s,
        per_min=said.per_min,
        queue=said.queue,
        memory_bytes=told.memory_bytes or None,
        error=said.error,
        error_at=said.error_at,
        restarts=told.restarts,
        is_supervised=True,
        beat=beat,
    )


def _of_beat(beat: Heartbeat) -> ProcessRow:
    numbers = beat.numbers
    rate = numbers.get("done_per_s")
    return ProcessRow(
        name=_name(beat.kind, beat.instance),
        state=beat.state,
        detail=beat.detail,
        version=beat.version,
        uptime_s=numbers.get("uptime_s"),
        per_min=None if rate is None else rate * 60,
        queue=next((numbers[name] for name in QUEUES if name in numbers), None),
        memory_bytes=numbers.get("memory_bytes"),
        error=beat.error,
        error_at=beat.error_at,
        last_at=beat.at,
        beat=beat,
    )


def _gone(beats: Beats, now: datetime) -> list[Silent]:
    """Those of the last hour that no other of their kind and host has replaced."""
    recent = [one for one in beats.silent if now - one.last_at < GONE_FOR]
    later = [(beat.kind, _host(beat.instance), beat.at) for beat in beats.alive]
    later += [(one.kind, _host(one.instance), one.last_at) for one in recent]
    return [
        one
        for one in recent
        if ":" not in one.instance
        or not any((kind, host) == (one.kind, _host(one.instance)) and at > one.last_at for kind, host, at in later)
    ]


def _host(instance: str) -> str:
    return instance.rpartition(":")[0]


def _name(kind: str, instance: str) -> str:
    return kind if kind == SUPERVISOR and instance == "0" else f"{kind} {instance}"
