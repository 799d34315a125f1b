"""Bring a root's platform up, down, and say how it is; the supervisor does the work in the background."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import ConfigError, DependencyError
from operations.embedded.claim import end_leftovers
from operations.embedded.postgres import data_dir
from operations.embedded.s3 import BROKER_BUCKET, MODELS_BUCKET
from operations.processes import CODE_DIR, last_line
from operations.state import Identity, Paths, Plan, ProcessRecord, RunState, Site

POLL_S = 0.1
START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 60.0
Progress = Callable[[str, str], None]
"""Called with a process's name and what became of it."""


@dataclass(frozen=True)
class ProcessStatus:
    """One process as `clipwarden status` shows it; `pid` and `port` are 0 where there is none."""

    name: str
    pid: int
    port: int
    state: str
    since: datetime
    restarts: int
    data_bytes: int
    detail: str = ""


def _silent(name: str, state: str) -> None:
    del name, state


def up(
    root: Path,
    plan: Plan,
    *,
    on_progress: Progress = _silent,
    timeout_s: float = START_TIMEOUT_S,
    tied_to: int | None = None,
) -> dict[str, str]:
    """Start the servers and the plan's processes in the background, and wait until all are ready.

    Args:
        root: its state, data and logs lie in `.clipwarden` there.
        plan: what runs beside the servers; MLflow stays once it was asked for in this root.
        on_progress: told of every change.
        timeout_s: how long to wait for all.
        tied_to: the pid of a process with which the platform shall end.

    Returns:
        What `addresses` returns.

    Raises:
        ConfigError: it is up already, or cannot be started here.
        DependencyError: not all became ready in time; what runs goes on running.
    """
    paths = Paths(root)
    _refuse_second(paths)
    paths.create()
    before = Plan.read(paths.plan)
    plan = plan.model_copy(update={"mlflow": plan.mlflow or bool(before and before.mlflow)})
    plan.write(paths.plan)
    _launch(paths, tied_to, on_progress)
    _wait_ready(paths, on_progress, timeout_s)
    return addresses(root)


def _refuse_second(paths: Paths) -> None:
    run = RunState.read(paths.run)
    if run and run.supervised():
        names = ", ".join(f"{record.name} {record.state}" for record in run.processes)
        raise ConfigError(f"the platform is up already in {paths.root} ({names}); to start anew: clipwarden down")


def _launch(paths: Paths, tied_to: int | None, on_progress: Progress) -> None:
    run = RunState.read(paths.run)
    if run and not run.stopped:
        left = [record.name for record in run.leftovers()]
        on_progress("supervisor", f"the last run was killed; ending its leftovers: {', '.join(left) or 'none'}")
    tie = ["--tied-to", str(tied_to)] if tied_to else []
    command = [sys.executable, "-m", "operations.supervisor", "--detach", "--root", str(paths.root), *tie]
    with (paths.logs / "supervisor.err").open("wb") as errors:
        result = subprocess.run(  # noqa: S603 - the command is ours
            command,
            cwd=CODE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            check=False,
            start_new_session=True,
        )
    if result.returncode != 0:
        raise ConfigError(f"the supervisor did not start: {last_line(paths.logs / 'supervisor.err')}")


def _wait_ready(paths: Paths, on_progress: Progress, timeout_s: float) -> None:
    deadline_s = time.monotonic() + timeout_s
    told: dict[str, str] = {}
    while True:
        records = _records(paths)
        for record in records:
            # What a process that starts does not answer yet is no news.
            why = record.detail if record.state != "starting" else ""
            text = f"{record.state}: {why}" if why else record.state
            if told.get(record.name) != text:
                told[record.name] = text
                on_progress(record.name, text)
        if records and not _late(paths, records):
            return
        if time.monotonic() > deadline_s or (told and not records):
            raise _not_ready(paths, records, timeout_s)
        time.sleep(POLL_S)


def _records(paths: Paths) -> tuple[ProcessRecord, ...]:
    """What the supervisor that runs now supervises; nothing when none runs."""
    run = RunState.read(paths.run)
    return run.processes if run and run.supervised() else ()


def _late(paths: Paths, records: tuple[ProcessRecord, ...]) -> list[ProcessRecord]:
    """Those that are not ready yet; what an operator stopped is not waited for."""
    stopped = (Plan.read(paths.plan) or Plan()).stopped
    return [record for record in records if record.state != "ready" and record.name not in stopped]


def _not_ready(paths: Paths, records: tuple[ProcessRecord, ...], timeout_s: float) -> DependencyError:
    late = [f"{r.name} {r.state} ({r.detail or 'no answer'})" for r in _late(paths, records)]
    what = "; ".join(late) or f"the supervisor ended: {last_line(paths.logs / 'supervisor.err')}"
    return DependencyError(f"not ready after {timeout_s:.0f} s: {what}; see {paths.logs}, or run: clipwarden doctor")


def start_mlflow(root: Path, *, timeout_s: float = 90.0, on_progress: Progress = _silent) -> str:
    """Have the running platform start MLflow's server, now and from now on; returns its address once it answers.

    Processes that serve models are started again, to know the registry.

    Raises:
        ConfigError: the platform is not up.
        DependencyError: MLflow did not become ready in time.
    """
    paths = Paths(root)
    run = RunState.read(paths.run)
    if run is None or not run.supervised():
        raise ConfigError(f"the platform is not up in {paths.root}; run: clipwarden up")
    plan = Plan.read(paths.plan) or Plan()
    if not plan.mlflow:
        plan.model_copy(update={"mlflow": True}).write(paths.plan)
        _wait_adopted(paths, "mlflow", timeout_s)
    _wait_ready(paths, on_progress, timeout_s)
    return addresses(root)["mlflow"]


def _wait_adopted(paths: Paths, name: str, timeout_s: float) -> None:
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        run = RunState.read(paths.run)
        if run and name in {record.name for record in run.processes}:
            return
        time.sleep(POLL_S)


def down(root: Path, *, purge: bool = False) -> list[str]:
    """Stop everything of a root, also the leftovers of a killed run; returns what ran.

    Args:
        root: as in `up`.
        purge: delete its data, logs and secrets too.

    Raises:
        DependencyError: it did not stop in time.
    """
    paths = Paths(root)
    run = RunState.read(paths.run)
    running = [record.name for record in run.processes if record.identity and record.identity.process()] if run else []
    if run and run.supervised():
        _stop_supervisor(run.supervisor)
    elif run:
        end_leftovers(paths)
    shutil.rmtree(paths.runtime, ignore_errors=True)
    if purge:
        shutil.rmtree(paths.home, ignore_errors=True)
        shutil.rmtree(paths.annex, ignore_errors=True)
    return running


def _stop_supervisor(identity: Identity) -> None:
    process = identity.process()
    if process is None:
        return
    process.send_signal(signal.SIGTERM)
    deadline_s = time.monotonic() + STOP_TIMEOUT_S
    while identity.process() is not None:
        if time.monotonic() > deadline_s:
            raise DependencyError(
                f"the supervisor (pid {identity.pid}) did not stop in {STOP_TIMEOUT_S:.0f} s; kill it"
            )
        time.sleep(POLL_S)


def status(root: Path) -> list[ProcessStatus]:
    """Every process of the last run, the supervisor first; empty when nothing was started there."""
    paths = Paths(root)
    run = RunState.read(paths.run)
    if run is None:
        return []
    supervised = run.supervised()
    rows = [_row(paths, record, supervised=supervised) for record in run.processes]
    started = min((row.since for row in rows), default=datetime.fromtimestamp(run.supervisor.created_at_s).astimezone())
    state = "ready" if supervised else "stopped" if run.stopped else "gone"
    pid = run.supervisor.pid if supervised else 0
    return [ProcessStatus("supervisor", pid, 0, state, started, 0, 0), *rows]


def _row(paths: Paths, record: ProcessRecord, *, supervised: bool) -> ProcessStatus:
    alive = record.identity is not None and record.identity.process() is not None
    return ProcessStatus(
        name=record.name,
        pid=record.identity.pid if record.identity and alive else 0,
        port=record.port,
        state=record.state if supervised or record.state == "stopped" else "left over" if alive else "gone",
        since=record.since,
        restarts=record.restarts,
        data_bytes=_size_bytes(data_of(paths, record.name)),
        detail=record.detail,
    )


def data_of(paths: Paths, name: str) -> Path:
    """Where a process keeps its data; the broker's and MLflow's are buckets of the S3 server."""
    if name == "postgres":
        return data_dir(paths)
    if name in ("broker", "mlflow"):
        return paths.data / "s3" / {"broker": BROKER_BUCKET, "mlflow": MODELS_BUCKET}[name]
    return paths.data / name


def _size_bytes(folder: Path) -> int:
    total = 0
    for place, _, files in os.walk(folder):
        for file in files:
            try:
                total += os.lstat(os.path.join(place, file)).st_size  # noqa: PTH118 - there are very many
            except FileNotFoundError:
                continue
    return total


def addresses(root: Path) -> dict[str, str]:
    """Where the processes of the root's plan answer, without passwords.

    Raises:
        ConfigError: nothing was started there yet.
    """
    site = Site.load(root)
    plan = Plan.read(site.paths.plan) or Plan()
    found = {name: site.address(name) for name in ("s3", "broker", "postgres", "valkey")}
    for name, wanted in (("mlflow", plan.mlflow), ("dashboard", plan.dashboard), ("gateway", plan.gateway)):
        if wanted:
            found[name] = f"http://{site.address(name)}"
    return found
