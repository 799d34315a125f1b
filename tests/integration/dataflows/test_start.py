"""A scoring process started wrongly says so in one line and exits with 2; one without its surroundings waits."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

COMMAND = (sys.executable, "-m", "bytewax.run", "dataflows.moderation")
SECRET = {"CLIPWARDEN_MEDIA__SECRET_KEY": "not-used-here"}


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def start(cwd: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        COMMAND, cwd=cwd, env={**os.environ, **SECRET, **env}, capture_output=True, text=True, timeout=60, check=False
    )


def assert_refused(result: "subprocess.CompletedProcess[str]", message: str) -> None:
    assert result.returncode == 2, result.stderr
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("CLIPWARDEN_FLOW__POLICY_FILE", "/nowhere/policy.yaml", "/nowhere/policy.yaml"),
        ("CLIPWARDEN_FLOW__SHARE", "2/2", "2/2 is no share"),
        ("CLIPWARDEN_FLOW__WINDW", "5", "did you mean CLIPWARDEN_FLOW__WINDOW"),
        ("CLIPWARDEN_FLWO__WINDOW", "5", "did you mean CLIPWARDEN_FLOW__WINDOW"),
        ("CLIPWARDEN_MEDIA__SECRET_KEY", "", "CLIPWARDEN_MEDIA__SECRET_KEY"),
        ("BYTEWAX_WORKERS_PER_PROCESS", "2", "CLIPWARDEN_FLOW__SHARE"),
    ],
)
def test_a_wrong_setting_is_one_line(tmp_path: Path, variable: str, value: str, message: str) -> None:
    assert_refused(start(tmp_path, **{variable: value}), message)


def test_a_taken_port_is_one_line(tmp_path: Path, taken_port: int) -> None:
    assert_refused(start(tmp_path, CLIPWARDEN_FLOW__HTTP_PORT=str(taken_port)), str(taken_port))


def test_without_its_surroundings_it_waits_says_so_and_stops_when_asked(tmp_path: Path, free_port: int) -> None:
    log = (tmp_path / "flow.log").open("w")
    flow = subprocess.Popen(
        COMMAND,
        cwd=tmp_path,
        env={
            **os.environ,
            **SECRET,
            "CLIPWARDEN_FLOW__HTTP_PORT": str(free_port),
            "CLIPWARDEN_INFERENCE__ENDPOINTS": f"ipc://{tmp_path}/w",
        },
        stdout=log,
        stderr=log,
    )
    try:
        deadline_s = time.monotonic() + 40
        while "worker" not in (checks := _checks(free_port)):
            assert flow.poll() is None, (tmp_path / "flow.log").read_text(encoding="utf-8")
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        assert checks["worker"]["ok"] is False
        assert checks["worker"]["detail"]
        flow.terminate()
        assert flow.wait(timeout=20) == 0, (tmp_path / "flow.log").read_text(encoding="utf-8")
    finally:
        flow.kill()
        flow.wait()
        log.close()


def _checks(port: int) -> dict[str, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return dict(json.load(answer)["checks"])
    except urllib.error.HTTPError as error:
        return dict(json.load(error)["checks"])
    except OSError:
        return {}
