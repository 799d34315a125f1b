import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from core import leash
from core.errors import DependencyError
from operations import processes
from operations.processes import Child, ProcessSpec, Stage, check_listens, last_line, nothing

STUBBORN = (
    "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print(subprocess.Popen(['sleep', '300']).pid, flush=True); time.sleep(300)"
)


def spec(tmp_path: Path, *command: str, grace_s: float = 5.0) -> ProcessSpec:
    return ProcessSpec(
        name="under-test",
        stage=Stage.STORES,
        command=command,
        env={"GREETING": "hello"},
        check=nothing,
        log=tmp_path / "under-test.log",
        grace_s=grace_s,
    )


def wait_for_log(path: Path) -> str:
    deadline_s = time.monotonic() + 10
    while not path.read_text().strip():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return path.read_text().strip()


def wait_for_end(child: Child) -> int:
    deadline_s = time.monotonic() + 10
    while (code := child.exit_code()) is None:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return code


def wait_until_gone(pid: int) -> None:
    deadline_s = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_child_has_only_its_environment_and_logs_to_its_file(tmp_path: Path) -> None:
    child = Child(spec(tmp_path, "/usr/bin/env"))

    assert wait_for_end(child) == 0
    assert "GREETING=hello" in (tmp_path / "under-test.log").read_text()
    assert "HOME=" not in (tmp_path / "under-test.log").read_text()


def test_what_ignores_the_stop_signal_is_killed_with_its_children(tmp_path: Path) -> None:
    child = Child(spec(tmp_path, sys.executable, "-S", "-c", STUBBORN))
    grandchild = int(wait_for_log(tmp_path / "under-test.log"))

    child.ask_to_stop()

    assert child.finish(time.monotonic() + 0.1) == -signal.SIGKILL
    wait_until_gone(grandchild)


def test_what_a_dead_child_left_in_its_group_is_killed(tmp_path: Path) -> None:
    code = "import subprocess; print(subprocess.Popen(['sleep', '300']).pid, flush=True)"
    child = Child(spec(tmp_path, sys.executable, "-S", "-c", code))

    assert wait_for_end(child) == 0
    wait_until_gone(int(wait_for_log(tmp_path / "under-test.log")))


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    tied = [sys.executable, "-I", "-S", leash.__file__]
    code = (
        "import os, subprocess, sys; "
        f"child = subprocess.Popen([*{tied!r}, str(os.getpid()), '-', '/bin/sleep', '300']); "
        "print(child.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        deadline_s = time.monotonic() + 10
        while psutil.Process(pid).name() != "sleep":
            assert time.monotonic() < deadline_s
            time.sleep(0.01)

        parent.kill()

    wait_until_gone(pid)


def test_a_child_whose_parent_is_gone_already_does_not_start() -> None:
    command = [sys.executable, "-I", "-S", leash.__file__, "1", "-", "/bin/echo", "started"]

    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stdout) == (1, "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_is_dropped_where_asked() -> None:
    command = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), "65534:65534", "/usr/bin/id", "-u"]

    result = subprocess.run(command, capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "65534"


def test_a_long_log_is_kept_once_and_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOG_LIMIT_BYTES", 10)
    (tmp_path / "under-test.log").write_text("more than ten bytes")

    wait_for_end(Child(spec(tmp_path, "/bin/echo", "new")))

    assert last_line(tmp_path / "under-test.log") == "new"
    assert last_line(tmp_path / "under-test.log.1") == "more than ten bytes"


def test_a_closed_port_is_a_dependency_that_does_not_answer() -> None:
    with pytest.raises(DependencyError, match="nothing listens"):
        check_listens("127.0.0.1:1")
