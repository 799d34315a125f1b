"""The processes of `bench serving`: one server, its clients, and what the server spends while they are at it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple, Self

import psutil

from core.errors import DependencyError
from core.settings import process_environment

STOP_S = 10.0
_COMPUTE = "worker_compute_seconds"


def say_ready(endpoint: str, *, metrics_port: int = 0) -> None:
    """A child's first line: where it listens, and where it tells its metrics."""
    sys.stdout.write(json.dumps({"endpoint": endpoint, "metrics_port": metrics_port}) + "\n")
    sys.stdout.flush()


class Member:
    """A child process that says a line when it is ready; stops when its stdin ends.

    Raises:
        DependencyError: it ended before it was ready.
    """

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", *arguments],
                env=process_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.psutil = psutil.Process(self._process.pid)

    def tell(self, line: str) -> None:
        """One line to it."""
        stdin = self._process.stdin
        if stdin is not None:
            stdin.write(line + "\n")
            stdin.flush()

    def hear(self) -> Any:  # noqa: ANN401 - JSON
        """The next line from it."""
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise DependencyError(f"a process of the bench ended with code {self._process.wait()}: {_tail(self._log)}")
        return json.loads(line)

    def close(self) -> None:
        """End it, and whatever it started."""
        family = [*self.psutil.children(recursive=True), self.psutil] if self._process.poll() is None else []
        self._process.terminate()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        for process in psutil.wait_procs(family, timeout=STOP_S)[1]:
            process.kill()
        self._process.wait()


class Point(NamedTuple):
    """One place on the curve: client processes, and clips each of them keeps on their way."""

    clients: int
    in_flight: int


@dataclass(frozen=True)
class Spent:
    """What server and clients have used so far; `compute_s` and `batches` where the server tells."""

    at_s: float
    cpu_s: float
    clients_cpu_s: float
    compute_s: float
    batches: float


@dataclass(frozen=True)
class Round:
    """One measurement: the latencies of every request that was answered in `seconds`."""

    seconds: float
    latencies_ms: tuple[float, ...]
    server_cpu_s: float
    clients_cpu_s: float
    busy_fraction: float
    batches: float


class Crew:
    """A server and as many clients as the largest round takes; those that are not asked rest."""

    def __init__(self, members: Sequence[Member], metrics_port: int) -> None:
        self.members = members
        self._server, *self._clients = members
        self._metrics_port = metrics_port

    @classmethod
    @contextmanager
    def started(cls, server: Sequence[str], transport: str, *, clients: int, folder: Path) -> Iterator[Self]:
        """All of them, ready; ended afterwards."""
        log = folder / f"{transport}.log"
        members = [Member(server, log)]
        try:
            said = members[0].hear()
            command = ["operations.bench.serving.client", transport, said["endpoint"]]
            members += [Member(command, log) for _ in range(clients)]
            for member in members[1:]:
                member.hear()
            yield cls(members, said["metrics_port"])
        finally:
            # The clients first: a server waits for nobody then.
            for member in reversed(members):
                member.close()

    def round(self, point: Point, *, warm_s: float, seconds: float) -> Round:
        """Load by so many clients; the warm-up is in no figure."""
        clients = self._clients[: point.clients]
        for member in clients:
            member.tell(f"{warm_s} {seconds} {point.in_flight}")
        time.sleep(warm_s)
        before = self._spent()
        time.sleep(seconds)
        after = self._spent()
        took_s = after.at_s - before.at_s
        latencies_ms = [value for member in clients for value in member.hear()]
        return Round(
            seconds=seconds,
            latencies_ms=tuple(latencies_ms),
            server_cpu_s=(after.cpu_s - before.cpu_s) * seconds / took_s,
            clients_cpu_s=(after.clients_cpu_s - before.clients_cpu_s) * seconds / took_s,
            busy_fraction=(after.compute_s - before.compute_s) / took_s,
            batches=after.batches - before.batches,
        )

    def _spent(self) -> Spent:
        compute_s, batches = self._compute()
        family = [self._server.psutil, *self._server.psutil.children(recursive=True)]
        clients = [member.psutil for member in self._clients]
        return Spent(time.perf_counter(), _cpu_s(family), _cpu_s(clients), compute_s, batches)

    def _compute(self) -> tuple[float, float]:
        """The compute thread's seconds and batches, by the worker's own metrics."""
        if not self._metrics_port:
            return 0.0, 0.0
        connection = HTTPConnection("127.0.0.1", self._metrics_port, timeout=5)
        connection.request("GET", "/metrics")
        with closing(connection):
            text = connection.getresponse().read().decode()
        lines = (line.rpartition(" ") for line in text.splitlines() if line.startswith(_COMPUTE))
        values = {name: float(value) for name, _, value in lines}
        return values[f"{_COMPUTE}_sum"], values[f"{_COMPUTE}_count"]


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"
