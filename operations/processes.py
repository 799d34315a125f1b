"""What a supervised process is, and one that runs: leader of its own group, never outliving its supervisor."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

import httpx

from core import leash
from core.errors import DependencyError
from operations.state import Identity

CODE_DIR = Path(__file__).parents[1]
LOG_LIMIT_BYTES = 20_000_000
LOG_TAIL_BYTES = 4096
CHECK_TIMEOUT_S = 2.0
POLL_S = 0.02


class Stage(IntEnum):
    """Start order; the reverse is the stop order. A stage starts once the servers of earlier stages were ready."""

    STORES = 0
    BROKER = 1
    MODELS = 2
    PRODUCT = 3


def nothing() -> None:
    """Do nothing: the step that most processes do not need."""


@dataclass(frozen=True)
class ProcessSpec:
    """How to run one process.

    Attributes:
        command: absolute program first.
        env: the whole environment of the process.
        check: raises DependencyError until the process is ready; called again while it runs.
        before: makes what must be there before each start; doing it again changes nothing.
        after: makes what must be there once it is healthy; doing it again changes nothing.
        grace_s: between `stop_signal` and SIGKILL of its process group.
        owner: (uid, gid) to run as; None is ours.
    """

    name: str
    stage: Stage
    command: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    check: Callable[[], None] = field(compare=False)
    log: Path
    port: int = 0
    before: Callable[[], None] = field(default=nothing, compare=False)
    after: Callable[[], None] = field(default=nothing, compare=False)
    grace_s: float = 5.0
    stop_signal: signal.Signals = signal.SIGTERM
    owner: tuple[int, int] | None = None


class Child:
    """One running process, leader of its own process group, dying with this one."""

    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        owner = "-" if spec.owner is None else f"{spec.owner[0]}:{spec.owner[1]}"
        with _open_log(spec.log) as log:
            self._popen = subprocess.Popen(  # noqa: S603 - the command is ours
                [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), owner, *spec.command],
                env=dict(spec.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/" if spec.owner else CODE_DIR,
                process_group=0,
            )
        self.identity = Identity.of(self._popen.pid)
        self.started_s = time.monotonic()

    @property
    def uptime_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started_s

    def exit_code(self) -> int | None:
        """None while it runs. Once it ended, what is left of its process group is killed and the code returned."""
        if self._popen.returncode is None and _has_ended(self._popen.pid):
            # Before it is reaped, its pid cannot belong to somebody else's group.
            self._signal_group(signal.SIGKILL)
            self._popen.wait()
        return self._popen.returncode

    def ask_to_stop(self) -> None:
        """Send the stop signal to the process itself."""
        if self.exit_code() is None:
            self._popen.send_signal(self.spec.stop_signal)

    def finish(self, deadline_s: float) -> int:
        """Wait until the monotonic instant, then kill the process group; nothing of it is left."""
        while self.exit_code() is None and time.monotonic() < deadline_s:
            time.sleep(POLL_S)
        if self.exit_code() is None:
            self._signal_group(signal.SIGKILL)
        return self._popen.wait()

    def _signal_group(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._popen.pid, number)
        except ProcessLookupError:
            return


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _open_log(path: Path) -> BinaryIO:
    """Open a log to append to; what passed the limit is kept once, as `.1`."""
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def last_line(log: Path) -> str:
    """What a process said last, cut short."""
    if not log.exists():
        return "nothing"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "nothing"


def check_listens(address: str) -> None:
    """Pass when something listens on host:port.

    Raises:
        DependencyError: nothing does.
    """
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=CHECK_TIMEOUT_S).close()
    except OSError as error:
        raise DependencyError(f"nothing listens on {address}") from error


def check_http(url: str) -> None:
    """Pass when a URL of ours answers 200.

    Raises:
        DependencyError: it does not; the message holds what it said.
    """
    try:
        response = httpx.get(url, timeout=CHECK_TIMEOUT_S, trust_env=False)
    except httpx.HTTPError as error:
        raise DependencyError(f"{url} does not answer ({type(error).__name__})") from error
    if response.status_code != httpx.codes.OK:
        raise DependencyError(f"{url} says {response.status_code}: {response.text[:200].strip()}")
