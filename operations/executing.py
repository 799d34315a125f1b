"""The supervisor's side of commands: the desks beside it, and what its heartbeat tells of each process."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from core.storage.beats import ProcessBeat
from core.storage.commands import Commands
from core.storage.database import Database
from core.storage.orders import PROCESS_KINDS, REPLAY_KINDS
from operations.desk import Desk
from operations.process_hand import ProcessHand, Supervises
from operations.replay_hand import ReplayHand
from operations.state import Identity, ProcessRecord, Site, settings


@contextmanager
def executing(supervisor: Supervises, site: Site) -> Iterator[None]:
    """Execute commands while the block runs; a database that is away keeps nobody from supervising."""
    ours = settings(site)
    commands = Commands(Database(ours.store, "commands"))

    def is_open() -> bool:
        # Before it is ready, the schema may be an older version's.
        return any(record.name == "postgres" and record.state == "ready" for record in supervisor.records)

    desks = [
        Desk(commands, ProcessHand(supervisor, site.paths.plan), kinds=PROCESS_KINDS, is_open=is_open),
        Desk(commands, ReplayHand(ours), kinds=REPLAY_KINDS, is_open=is_open),
    ]
    for desk in desks:
        desk.start()
    try:
        yield
    finally:
        for desk in desks:
            desk.stop()


def told(record: ProcessRecord) -> ProcessBeat:
    """A process as the supervisor's heartbeat tells of it."""
    return ProcessBeat(
        name=record.name,
        state=record.state,
        since=record.since,
        pid=record.identity.pid if record.identity else 0,
        restarts=record.restarts,
        memory_bytes=memory_bytes(record.identity) if record.identity else 0,
        detail=record.detail,
    )


def memory_bytes(identity: Identity) -> int:
    """Resident memory of a process, and what its children hold beyond what they share; 0 once it is gone."""
    process = identity.process()
    if process is None:
        return 0
    try:
        return process.memory_info().rss + sum(map(_own_bytes, process.children(recursive=True)))
    except psutil.Error:
        return 0


def _own_bytes(child: psutil.Process) -> int:
    try:
        memory = child.memory_info()
    except psutil.Error:
        return 0
    return int(memory.rss - memory.shared)
