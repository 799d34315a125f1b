"""The supervisor: one process that starts the platform in order, restarts what dies, and stops it in reverse.

`python -m operations.supervisor --root DIR`. What runs beside the servers stands in `<root>/.clipwarden/plan.json`,
which it follows while it runs; what it knows stands in `run.json`, which outlives a crash.
"""

import argparse
import os
import queue
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import FrameType

import structlog
from pydantic import SecretStr

from core.clock import Clock, SystemClock
from core.errors import ConfigError, PlatformError
from core.heartbeat import HeartbeatThread
from core.settings import RedisSettings, TelemetrySettings
from core.storage.live import RedisLive
from core.storage.ports import Heartbeat
from core.vitals import TROUBLES
from operations.embedded.broker import broker
from operations.embedded.claim import Claim, claim
from operations.embedded.mlflow import mlflow
from operations.embedded.postgres import postgres
from operations.embedded.s3 import s3
from operations.embedded.valkey import valkey
from operations.executing import executing, told
from operations.processes import ProcessSpec, Stage
from operations.product import product
from operations.state import MARK, Identity, Paths, Plan, ProcessRecord, RunState, Site
from operations.supervised import Supervised

log = structlog.get_logger()

TICK_S = 0.1
VERSION = version("clipwarden")


def specs(site: Site, plan: Plan) -> list[ProcessSpec]:
    """Every process of a plan, in start order."""
    servers = [make(site) for make in (s3, postgres, valkey, broker)]
    all_of_them = [*servers, *([mlflow(site)] if plan.mlflow else []), *product(site, plan)]
    return [replace(spec, env={**spec.env, MARK: str(site.paths.root)}) for spec in all_of_them]


class Supervisor:
    """Keeps the processes of a plan running until it is told to stop."""

    def __init__(self, site: Site, clock: Clock, *, tied_to: Identity | None = None) -> None:
        self._site = site
        self._clock = clock
        self._tied_to = tied_to
        self._run = RunState(supervisor=Identity.of(os.getpid()))
        self._processes: list[Supervised] = []
        self._plan: Plan | None = None
        self._plan_changed_ns = -1
        self._stopping = False
        self.restarts: queue.SimpleQueue[str] = queue.SimpleQueue()
        """Names of processes to restart at the next tick; put in from any thread."""

    @property
    def records(self) -> Sequence[ProcessRecord]:
        """What is known of each process, as of the last tick; from any thread."""
        return self._run.processes

    def stop(self, number: int = 0, _frame: FrameType | None = None) -> None:
        """End `run` soon; the handler of SIGTERM and SIGINT."""
        del number
        self._stopping = True

    def run(self) -> None:
        """Supervise until stopped, or until the process it is tied to is gone; then leave nothing running."""
        log.info("supervisor.started", root=str(self._site.paths.root), ports=self._site.ports.base)
        try:
            while not self._stopping and not self._orphaned():
                self._follow_plan()
                self._restart_asked()
                for process in self._processes:
                    process.tick(may_start=self._may_start(process.spec))
                self._save()
                time.sleep(TICK_S)
        finally:
            self._end(self._processes)
            self._save(stopped=True)
            log.info("supervisor.stopped")

    def heartbeat(self) -> Heartbeat:
        """How it is; safe to call from another thread."""
        records = self._run.processes
        unready = [f"{record.name} {record.state}" for record in records if record.state not in ("ready", "stopped")]
        numbers = {"processes": len(records), "restarts_total": sum(record.restarts for record in records)}
        state = "waiting" if unready else "ready"
        said = Heartbeat("supervisor", "0", state, VERSION, self._clock.now(), ", ".join(unready), numbers)
        return replace(said, processes=tuple(map(told, records)))

    def _orphaned(self) -> bool:
        return self._tied_to is not None and self._tied_to.process() is None

    def _may_start(self, spec: ProcessSpec) -> bool:
        """Stores first, then the broker, then the rest, which waits for each other by itself."""
        gate = min(spec.stage, Stage.MODELS)
        return all(process.was_ready for process in self._processes if process.spec.stage < gate)

    def _follow_plan(self) -> None:
        path = self._site.paths.plan
        changed_ns = path.stat().st_mtime_ns if path.exists() else 0
        if changed_ns == self._plan_changed_ns:
            return
        self._plan_changed_ns = changed_ns
        try:
            plan = Plan.read(path) or Plan()
        except ConfigError as error:
            log.error("plan.refused", reason=str(error))  # noqa: TRY400 - one line says all
            return
        self._adopt(specs(self._site, plan))
        for process in self._processes:
            if process.spec.name in plan.stopped:
                process.halt()
            elif process.is_halted:
                process.release()

    def _restart_asked(self) -> None:
        asked = {self.restarts.get_nowait() for _ in range(self.restarts.qsize())}
        for process in self._processes:
            if process.spec.name in asked:
                process.halt()
                process.release()

    def _adopt(self, wanted: list[ProcessSpec]) -> None:
        """Stop what is not wanted or wanted otherwise; what stays keeps running."""
        self._end([process for process in self._processes if process.spec not in wanted])
        kept = {process.spec.name: process for process in self._processes if process.spec in wanted}
        self._processes = [kept.get(spec.name) or Supervised(spec, self._clock) for spec in wanted]

    def _end(self, processes: Sequence[Supervised]) -> None:
        """Stop processes, later stages first, those of a stage together."""
        for stage in reversed(Stage):
            members = [process for process in processes if process.spec.stage is stage]
            for process in members:
                process.ask_to_stop()
            for process in members:
                process.finish()

    def _save(self, *, stopped: bool = False) -> None:
        """Write the state file when something in it changed."""
        records = tuple(process.record() for process in self._processes)
        run = self._run.model_copy(update={"processes": records, "stopped": stopped})
        if run != self._run:
            run.write(self._site.paths.run)
            self._run = run


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m operations.supervisor", description="Runs the platform of a root.")
    parser.add_argument("--root", type=Path, default=Path(), help="its state, data and logs lie in ROOT/.clipwarden")
    parser.add_argument("--detach", action="store_true", help="go on in the background")
    parser.add_argument("--tied-to", type=int, metavar="PID", help="stop when that process is gone")
    return parser.parse_args(argv)


def _detach() -> None:
    """Go on as a process without terminal or parent; the one that was called ends at once."""
    if os.fork():
        os._exit(0)
    os.setsid()


def _log_to(path: Path, *, screen: bool) -> None:
    """Send the log to a file, one JSON object a line, and to the screen in the foreground."""
    file = path.open("a", encoding="utf-8", buffering=1)
    streams = [file, sys.stderr] if screen else [file]

    def write(_logger: object, _method: str, event: structlog.typing.EventDict) -> str:
        line = structlog.processors.JSONRenderer()(None, "", event)
        for stream in streams:
            print(line, file=stream, flush=True)
        raise structlog.DropEvent

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            TROUBLES,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            write,
        ]
    )


def _supervise(claimed: Claim, tied_to: Identity | None) -> None:
    supervisor = Supervisor(claimed.site, SystemClock(), tied_to=tied_to)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, supervisor.stop)
    telemetry = TelemetrySettings()
    live = RedisLive(RedisSettings(url=SecretStr(claimed.site.redis_url)), heartbeat_ttl_s=telemetry.heartbeat_ttl_s)
    beats = HeartbeatThread(live, supervisor.heartbeat, telemetry.heartbeat_s, is_up=False)
    with beats, executing(supervisor, claimed.site):
        supervisor.run()
    live.close()


def main(argv: Sequence[str]) -> int:
    """Run until stopped; the exit code is 0 then, 2 when the root cannot be taken."""
    options = _arguments(argv)
    paths = Paths(options.root)
    try:
        tied_to = Identity.of(options.tied_to) if options.tied_to else None
        paths.create()
        _log_to(paths.logs / "supervisor.log", screen=not options.detach)
        claimed = claim(paths)
    except PlatformError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command speaks on stderr
        return 2
    if options.detach:
        _detach()
    _supervise(claimed, tied_to)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
