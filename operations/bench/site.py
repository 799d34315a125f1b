"""A platform of the bench's own, thrown away afterwards: nothing it measures is anyone's data."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from core.settings import Settings
from operations.embedded import control
from operations.seat import screen
from operations.state import Paths, Plan, RunState, Site, environment
from operations.state import settings as site_settings


@dataclass(frozen=True)
class BenchSite:
    """Running servers and how to reach them."""

    root: Path
    settings: Settings
    env: dict[str, str]

    def pid_of_supervisor(self) -> int:
        """The parent of all its processes."""
        run = RunState.read(Paths(self.root).run)
        if run is None:
            raise KeyError("supervisor")
        return run.supervisor.pid

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds so far of each process the supervisor runs, its children included, also those that ended."""
        run = RunState.read(Paths(self.root).run)
        spent = {}
        for record in run.processes if run else ():
            family = [psutil.Process(record.identity.pid)] if record.identity else []
            family += [child for process in family for child in process.children(recursive=True)]
            spent[record.name] = sum(map(_cpu_s, family))
        return spent

    def pid(self, name: str) -> int:
        """The pid of one of its processes."""
        run = RunState.read(Paths(self.root).run)
        records = {record.name: record for record in run.processes} if run else {}
        identity = records[name].identity
        if identity is None:
            raise KeyError(name)
        return identity.pid


def _cpu_s(process: psutil.Process) -> float:
    try:
        # Its own and that of its children that ended: PostgreSQL has a process per connection.
        return float(sum(process.cpu_times()[:4]))
    except psutil.NoSuchProcess:
        return 0.0


@contextmanager
def bench_site(plan: Plan) -> Iterator[BenchSite]:
    """Bring servers and the plan's processes up; stop them and delete their data at the end."""
    with tempfile.TemporaryDirectory(prefix="clipwarden-bench-") as folder:
        root = Path(folder)
        screen.print("[dim]starting servers[/]")
        control.up(root, plan, tied_to=os.getpid())
        site = Site.load(root)
        try:
            yield BenchSite(root, site_settings(site), environment(site))
        finally:
            control.down(root, purge=True)
