"""What dies comes back with its data; what is stopped leaves nothing behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from operations.doctor import doctor
from operations.embedded.control import down, status, up
from operations.state import MARK, Paths, Plan, RunState, Site, environment
from tests.fixtures.clients import consume, get, produce, put
from tests.fixtures.platform import Platform, start

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def own() -> Iterator[Platform]:
    """A platform to hurt, in a folder that everybody may enter."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        root = Path(folder)
        root.chmod(0o711)
        try:
            yield start(root)
        finally:
            down(root, purge=True)


def marked(root: Path) -> list[int]:
    """Every process started for a root, asked of the kernel."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(root):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def wait_until_gone(pids: list[int]) -> None:
    deadline_s = time.monotonic() + 10
    while left := [pid for pid in pids if psutil.pid_exists(pid)]:
        assert time.monotonic() < deadline_s, f"still there: {left}"
        time.sleep(0.02)


def wait_until_planned(platform: Platform, name: str) -> None:
    deadline_s = time.monotonic() + 10
    while name not in {row.name for row in status(platform.root)}:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def execute(platform: Platform, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(platform.settings.store.dsn.get_secret_value(), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def test_killed_postgres_comes_back_with_its_rows(own: Platform) -> None:
    execute(own, "create table kept as select 7 as number")

    own.wait_ready("postgres", after_pid=own.kill("postgres"))

    assert execute(own, "select number from kept") == [(7,)]


def test_killed_s3_comes_back_with_its_objects(own: Platform) -> None:
    put(own, "kept", b"object")

    own.wait_ready("s3", after_pid=own.kill("s3"))

    assert get(own, "kept") == b"object"


def test_killed_broker_comes_back_with_its_records(own: Platform) -> None:
    offset = produce(own, b"kept")

    own.wait_ready("broker", after_pid=own.kill("broker"))

    assert consume(own, offset) == b"kept"
    assert produce(own, b"next") == offset + 1


def test_killed_valkey_comes_back_on_its_port(own: Platform) -> None:
    port, restarts = own.record("valkey").port, own.record("valkey").restarts

    own.wait_ready("valkey", after_pid=own.kill("valkey"))

    assert (own.record("valkey").port, own.record("valkey").restarts) == (port, restarts + 1)


def test_killed_supervisor_takes_all_along_and_the_next_up_keeps_the_data(own: Platform) -> None:
    offset, before = produce(own, b"before the crash"), environment(Site.load(own.root))
    put(own, "before", b"the crash")
    execute(own, "create table crashed as select 1 as number")
    processes = marked(own.root)

    os.kill(own.pid("supervisor"), signal.SIGKILL)
    wait_until_gone(processes)

    assert {row.state for row in status(own.root)} == {"gone"}
    assert any(finding.level == "bad" and "was killed" in finding.why for finding in doctor(own.root))
    said: list[str] = []
    up(own.root, Plan(), on_progress=lambda name, state: said.append(f"{name} {state}"), tied_to=os.getpid())
    assert said[0].startswith("supervisor the last run was killed")
    assert environment(Site.load(own.root)) == before
    assert (get(own, "before"), consume(own, offset)) == (b"the crash", b"before the crash")
    assert execute(own, "select number from crashed") == [(1,)]


def test_leftovers_of_a_killed_run_are_ended_by_pid_and_start_time(own: Platform) -> None:
    down(own.root)
    leftover = subprocess.Popen(["sleep", "300"], env={MARK: str(own.root)})
    stranger = subprocess.Popen(["sleep", "300"])
    run = RunState.read(Paths(own.root).run)
    assert run is not None
    claims_stranger = run.processes[0].model_copy(
        update={"identity": run.supervisor.model_copy(update={"pid": stranger.pid, "created_at_s": 1.0})}
    )
    run.model_copy(update={"stopped": False, "processes": (claims_stranger,)}).write(Paths(own.root).run)

    start(own.root)

    assert leftover.wait(5) == -signal.SIGKILL
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_running_platform_follows_its_plan(own: Platform) -> None:
    Plan(dashboard=True).write(Paths(own.root).plan)
    wait_until_planned(own, "dashboard")
    own.wait_ready("dashboard")
    console = own.pid("dashboard")
    database = own.pid("postgres")

    Plan().write(Paths(own.root).plan)

    wait_until_gone([console])
    assert own.pid("postgres") == database


def test_two_roots_run_side_by_side(own: Platform, platform: Platform) -> None:
    places = (
        "KAFKA__BROKERS",
        "STORE__DSN",
        "REDIS__URL",
        "MEDIA__ENDPOINT",
        "INFERENCE__ENDPOINTS",
        "FLOW__STATE_DIR",
    )
    put(own, "mine", b"first")
    put(platform, "mine", b"second")

    assert not [place for place in places if own.env[f"CLIPWARDEN_{place}"] == platform.env[f"CLIPWARDEN_{place}"]]
    assert (get(own, "mine"), get(platform, "mine")) == (b"first", b"second")


def test_down_leaves_no_process(own: Platform) -> None:
    processes = [own.pid(name) for name in ("supervisor", "s3", "postgres", "valkey", "broker")]

    stopped = down(own.root)

    assert set(stopped) == {"s3", "postgres", "valkey", "broker"}
    wait_until_gone(processes)
    assert marked(own.root) == []
    assert {row.state for row in status(own.root)} == {"stopped"}
    assert down(own.root) == []


def test_a_tied_platform_ends_with_its_process(tmp_path: Path) -> None:
    code = "import pathlib, sys; from tests.fixtures.platform import start; start(pathlib.Path(sys.argv[1]))"

    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)

    deadline_s = time.monotonic() + 20
    while (run := RunState.read(Paths(tmp_path).run)) and run.supervised():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    assert marked(tmp_path) == []
    down(tmp_path, purge=True)
    assert list(tmp_path.iterdir()) == []
    assert not Paths(tmp_path).annex.exists()
