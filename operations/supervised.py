"""One process under the supervisor: started when its turn comes, checked, restarted with a growing delay."""

import signal
import time

import structlog

from core.clock import Clock
from core.errors import PlatformError
from operations.processes import Child, ProcessSpec, last_line
from operations.state import ProcessRecord, ProcessState

log = structlog.get_logger()

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 15.0
HEALTHY_S = 30.0
"""After this long without an end the delay starts again from its first value."""
RECHECK_S = 5.0
STOPPED_BY_COMMAND = "stopped by an operator; start it again from the console, or: clipwarden down, clipwarden up"


class Supervised:
    """A spec, its child while there is one, and what happened to it."""

    def __init__(self, spec: ProcessSpec, clock: Clock) -> None:
        self.spec = spec
        self.was_ready = False
        self._clock = clock
        self._child: Child | None = None
        self._delay_s = FIRST_DELAY_S
        self._due_s = 0.0
        self._restarts = 0
        self._state: ProcessState = "waiting"
        self._since = clock.now()
        self._detail = ""
        self._is_wanted = True
        self._kill_at_s: float | None = None

    def record(self) -> ProcessRecord:
        """What the state file says of it."""
        return ProcessRecord(
            name=self.spec.name,
            state=self._state,
            since=self._since,
            port=self.spec.port,
            identity=self._child.identity if self._child else None,
            restarts=self._restarts,
            detail=self._detail,
        )

    @property
    def is_halted(self) -> bool:
        """Whether it stays stopped until it is released."""
        return not self._is_wanted

    def halt(self) -> None:
        """Begin to stop it; it stays stopped until it is released. Returns at once."""
        if self._is_wanted:
            self._is_wanted = False
            self._detail = STOPPED_BY_COMMAND
            self.ask_to_stop()
            self._kill_at_s = self._clock.monotonic_s() + self.spec.grace_s

    def release(self) -> None:
        """Have it run again, as soon as what is left of it has ended."""
        self._is_wanted = True
        self._delay_s = FIRST_DELAY_S
        self._due_s = 0.0

    def tick(self, *, may_start: bool) -> None:
        """Do what is due: start it, check it, or note its end and wait."""
        if self._kill_at_s is not None:
            self._end(self._kill_at_s)
        elif self._is_wanted:
            self._go_on(may_start=may_start)
        elif self._state != "stopped":
            self._enter("stopped", STOPPED_BY_COMMAND)

    def _end(self, kill_at_s: float) -> None:
        """Wait for the end that was asked for, without holding up the others; kill what outlives its grace."""
        is_over = self._child is None or self._child.exit_code() is not None
        if is_over or self._clock.monotonic_s() >= kill_at_s:
            self.finish(grace_s=0.0)
            self._detail = STOPPED_BY_COMMAND
            self._kill_at_s = None

    def _go_on(self, *, may_start: bool) -> None:
        due = self._clock.monotonic_s() >= self._due_s
        if self._child is None:
            if may_start and due:
                self._start()
            return
        code = self._child.exit_code()
        if code is not None:
            self._ended(self._child, code)
        elif due:
            self._check()

    def ask_to_stop(self) -> None:
        """Tell the process to stop, if there is one."""
        if self._child:
            self._child.ask_to_stop()

    def finish(self, *, grace_s: float | None = None) -> None:
        """Wait out its grace, kill what is left, and forget it."""
        if self._child:
            code = self._child.finish(time.monotonic() + (self.spec.grace_s if grace_s is None else grace_s))
            log.info("process.stopped", name=self.spec.name, exit_code=code)
            self._child = None
        self._enter("stopped")

    def _start(self) -> None:
        try:
            self.spec.before()
            self._child = Child(self.spec)
        except (PlatformError, OSError) as error:
            self._retry(str(error), exit_code=None)
            return
        self._due_s = 0.0
        self._enter("starting")
        log.info("process.started", name=self.spec.name, pid=self._child.identity.pid)

    def _check(self) -> None:
        try:
            self.spec.check()
            if self._state == "starting":
                self.spec.after()
        except PlatformError as error:
            self._unhealthy(str(error))
            return
        self.was_ready = True
        self._due_s = self._clock.monotonic_s() + RECHECK_S
        if self._state != "ready":
            self._enter("ready")
            log.info("process.ready", name=self.spec.name, port=self.spec.port)

    def _unhealthy(self, reason: str) -> None:
        if self._state == "starting":
            self._detail = reason
            return
        self._due_s = self._clock.monotonic_s() + 1.0
        if self._state != "unready":
            log.warning("process.unready", name=self.spec.name, reason=reason)
        self._enter("unready", reason)

    def _ended(self, child: Child, code: int) -> None:
        if child.uptime_s > HEALTHY_S:
            self._delay_s = FIRST_DELAY_S
        self._child = None
        self._restarts += 1
        self._retry(f"{_describe(code)}, said: {last_line(self.spec.log)}", exit_code=code)

    def _retry(self, reason: str, *, exit_code: int | None) -> None:
        log.warning("process.restarted", name=self.spec.name, reason=reason, exit_code=exit_code, delay_s=self._delay_s)
        self._due_s = self._clock.monotonic_s() + self._delay_s
        self._delay_s = min(LONGEST_DELAY_S, self._delay_s * 2)
        self._enter("waiting", reason)

    def _enter(self, state: ProcessState, detail: str = "") -> None:
        if state != self._state:
            self._since = self._clock.now()
        self._state = state
        self._detail = detail


def _describe(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
