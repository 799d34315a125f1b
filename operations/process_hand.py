"""Start, stop and restart of a supervised process: what the supervisor is asked, and how it ended in words."""

import queue
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from core.errors import ConfigError
from core.storage.orders import NEVER_STOPPED, CommandKind, OfProcess, Order
from operations.desk import CommandRefused, Say
from operations.state import Plan, ProcessRecord

READY_S = 90.0
STOPPED_S = 45.0
POLL_S = 0.1
NOT_A_CHILD = "the supervisor executes the commands and does not restart itself; clipwarden down, then: clipwarden up"


class Supervises(Protocol):
    """What is asked of the supervisor, from another thread than its own."""

    @property
    def records(self) -> Sequence[ProcessRecord]:
        """Its processes, as of its last tick."""
        ...

    @property
    def restarts(self) -> "queue.SimpleQueue[str]":
        """Names of processes to restart at its next tick."""
        ...


class ProcessHand:
    """Executes process commands.

    What is stopped stands in the plan, so that it stays stopped whatever else changes there.

    Args:
        supervisor: whose processes they are.
        plan: the file it follows.
    """

    def __init__(self, supervisor: Supervises, plan: Path) -> None:
        self._supervisor = supervisor
        self._plan = plan

    def __call__(self, order: Order, say: Say) -> str:
        """Do it and wait for how it ends.

        Raises:
            CommandRefused: there is no such process, it must not be stopped, or it did not become what was asked for.
        """
        if not isinstance(order.arguments, OfProcess):
            raise CommandRefused(f"{order.kind} is not about a process")
        name = order.arguments.process
        before = self._record(name)
        if order.kind is CommandKind.STOP:
            return self._stop(name, say)
        if order.kind is CommandKind.START and before.state == "ready":
            return f"{name} runs already, since {before.since:%H:%M:%S} UTC"
        self._put_stopped(name, stopped=False)
        if order.kind is CommandKind.RESTART:
            self._supervisor.restarts.put(name)
        return self._await_ready(name, before, say, is_restart=order.kind is CommandKind.RESTART)

    def _stop(self, name: str, say: Say) -> str:
        if name in NEVER_STOPPED:
            raise CommandRefused(f"{name} was not stopped: {NEVER_STOPPED[name]}")
        self._put_stopped(name, stopped=True)
        began_s = time.monotonic()
        self._wait(lambda: self._record(name).state == "stopped", STOPPED_S, say, f"{name} is asked to stop")
        return f"{name} stopped in {time.monotonic() - began_s:.1f} s; it stays stopped until it is started"

    def _await_ready(self, name: str, before: ProcessRecord, say: Say, *, is_restart: bool) -> str:
        began_s = time.monotonic()

        def is_new() -> bool:
            now = self._record(name)
            if now.restarts > before.restarts:
                raise CommandRefused(f"{name} was started and ended again: {now.detail}; the supervisor goes on trying")
            return now.state == "ready" and (not is_restart or now.identity != before.identity)

        self._wait(is_new, READY_S, say, f"{name} is starting")
        verb = "restarted" if is_restart else "started"
        return f"{name} {verb}, ready after {time.monotonic() - began_s:.1f} s"

    def _wait(self, is_done: Callable[[], bool], within_s: float, say: Say, text: str) -> None:
        deadline_s = time.monotonic() + within_s
        while not is_done():
            if time.monotonic() > deadline_s:
                raise CommandRefused(f"{text}, but not after {within_s:.0f} s; the supervisor goes on trying")
            say(text)
            time.sleep(POLL_S)

    def _record(self, name: str) -> ProcessRecord:
        records = {record.name: record for record in self._supervisor.records}
        if name == "supervisor":
            raise CommandRefused(NOT_A_CHILD)
        if name not in records:
            raise CommandRefused(f"no process {name!r} is supervised here; there are: {', '.join(records)}")
        return records[name]

    def _put_stopped(self, name: str, *, stopped: bool) -> None:
        try:
            plan = Plan.read(self._plan) or Plan()
        except ConfigError as error:
            raise CommandRefused(error.message) from error
        wanted = {*plan.stopped, name} if stopped else {*plan.stopped} - {name}
        if wanted != set(plan.stopped):
            plan.model_copy(update={"stopped": tuple(sorted(wanted))}).write(self._plan)
