"""Cores: what the kernel grants, not what the machine has."""

import os
from pathlib import Path

import pytest

from core.cores import decoder_children, usable_cores, worker_threads


@pytest.fixture(autouse=True)
def _a_large_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(64)))


def _place(root: Path, files: dict[str, str]) -> tuple[Path, Path]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / "proc", root / "cgroup"


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 64),
        ({"proc/cgroup": "0::/\n"}, 64),
        ({"proc/cgroup": "0::/\n", "cgroup/cpu.max": "max 100000\n"}, 64),
        ({"proc/cgroup": "0::/\n", "cgroup/cpu.max": "350000 100000\n"}, 3),
        ({"proc/cgroup": "0::/\n", "cgroup/cpu.max": "20000 100000\n"}, 1),
        ({"proc/cgroup": "0::/a/b\n", "cgroup/a/b/cpu.max": "max 100000\n", "cgroup/a/cpu.max": "200000 100000\n"}, 2),
        ({"proc/cgroup": "0::/of/the/host\n", "cgroup/cpu.max": "400000 100000\n"}, 4),
        (
            {
                "proc/cgroup": "3:cpuset:/\n2:cpu,cpuacct:/a\n",
                "cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "500000\n",
                "cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
            },
            5,
        ),
        ({"proc/cgroup": "1:cpu:/\n", "cgroup/cpu/cpu.cfs_quota_us": "-1", "cgroup/cpu/cpu.cfs_period_us": "9"}, 64),
    ],
    ids=["none", "no file", "no limit", "rounded down", "never none", "parent", "mount only", "v1", "v1 no limit"],
)
def test_a_quota_bounds_the_cores(tmp_path: Path, files: dict[str, str], cores: int) -> None:
    assert usable_cores(*_place(tmp_path, files)) == cores


def test_an_affinity_bounds_the_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {3, 5})

    assert usable_cores(*_place(tmp_path, {"proc/cgroup": "0::/\n", "cgroup/cpu.max": "900000 100000\n"})) == 2


@pytest.mark.parametrize(("cores", "children", "threads"), [(1, 1, 1), (2, 1, 2), (4, 3, 4), (64, 63, 8)])
def test_neither_decode_nor_inference_is_left_without_a_core(cores: int, children: int, threads: int) -> None:
    assert (decoder_children(cores), worker_threads(cores)) == (children, threads)
