"""How many cores this process may use, and how decode and inference share them: the defaults of the settings."""

import os
from collections.abc import Iterator
from pathlib import Path

_MOST_THREADS = 8


def usable_cores(proc: Path = Path("/proc/self"), mount: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores the kernel lets this process use: its affinity, cut by the CPU quotas of its cgroups (v1 and v2).

    A container with `cpus: 3` on a host of 64 cores sees all 64 in `os.cpu_count()`, and is throttled beyond 3.
    """
    return max(1, int(min([len(os.sched_getaffinity(0)), *_quotas(proc, mount)])))


def decoder_children(cores: int) -> int:
    """Decoders: every core but one, which the flow, the servers and the worker's first thread want.

    With `worker_threads` that is more than there are cores, on purpose: which of the two needs them depends on the
    videos, so neither owns any. Decoders are niced, so a batch under way takes its cores from them; that leaves them
    a quarter of a contested core, and every core the worker leaves idle. Neither starves.
    """
    return max(1, cores - 1)


def worker_threads(cores: int) -> int:
    """Threads of a forward pass on a CPU; past eight a small network waits for its own threads."""
    return min(_MOST_THREADS, cores)


def _quotas(proc: Path, mount: Path) -> Iterator[float]:
    for line in _read(proc / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _quotas_on_the_way(mount, path)
        elif "cpu" in controllers.split(","):
            yield from _quotas_on_the_way(mount / controllers, path)


def _quotas_on_the_way(mount: Path, path: str) -> Iterator[float]:
    """A parent binds too. Within a container the path may be of the host: then only the mount itself is there."""
    group = mount / path.lstrip("/")
    for folder in (group, *group.parents):
        if folder.is_relative_to(mount):
            quota, _, period = _limit(folder).partition(" ")
            if quota.isdigit() and period.isdigit() and int(period):
                yield int(quota) / int(period)


def _limit(folder: Path) -> str:
    """`quota period` in microseconds; the quota is `max` (v2) or -1 (v1) where there is none."""
    both = _read(folder / "cpu.max").strip()
    return both or f"{_read(folder / 'cpu.cfs_quota_us').strip()} {_read(folder / 'cpu.cfs_period_us').strip()}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
