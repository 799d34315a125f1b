import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.clock import FixedClock
from core.errors import DependencyError
from operations.processes import ProcessSpec, Stage, nothing
from operations.supervised import Supervised


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 1, 1, tzinfo=UTC))


def lasting(tmp_path: Path) -> ProcessSpec:
    command = (sys.executable, "-S", "-c", "import time; time.sleep(300)")
    return ProcessSpec("one", Stage.STORES, command=command, env={}, check=nothing, log=tmp_path / "one.log")


def failing(tmp_path: Path) -> ProcessSpec:
    return replace(lasting(tmp_path), command=(sys.executable, "-S", "-c", "import sys; sys.exit('no such bucket')"))


def stop(process: Supervised) -> None:
    process.ask_to_stop()
    process.finish()


def refuse() -> None:
    raise DependencyError("not yet")


def tick_until(process: Supervised, done: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline_s, process.record()
        process.tick(may_start=True)
        time.sleep(0.005)


def test_it_waits_for_its_turn(tmp_path: Path, clock: FixedClock) -> None:
    process = Supervised(lasting(tmp_path), clock)

    process.tick(may_start=False)

    assert process.record().state == "waiting"
    assert process.record().identity is None


def test_it_is_ready_once_checked_and_prepared(tmp_path: Path, clock: FixedClock) -> None:
    done: list[str] = []
    spec = replace(lasting(tmp_path), before=lambda: done.append("before"), after=lambda: done.append("after"))
    process = Supervised(spec, clock)

    tick_until(process, lambda: process.record().state == "ready")
    stop(process)

    assert done == ["before", "after"]
    assert process.was_ready
    assert process.record().state == "stopped"


def test_what_dies_is_started_again_later_and_later(tmp_path: Path, clock: FixedClock) -> None:
    process = Supervised(replace(failing(tmp_path), check=refuse), clock)
    delays = []

    for restarts in range(1, 8):
        tick_until(process, lambda: process.record().restarts == restarts)  # noqa: B023 - called at once
        assert process.record().detail == "exited with 1, said: no such bucket"
        before_s = clock.elapsed_s
        while process.record().state == "waiting":
            clock.elapsed_s += 0.25
            process.tick(may_start=True)
        delays.append(clock.elapsed_s - before_s)
    stop(process)

    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_a_start_that_cannot_be_prepared_is_tried_again(tmp_path: Path, clock: FixedClock) -> None:
    process = Supervised(replace(lasting(tmp_path), before=refuse), clock)

    process.tick(may_start=True)

    assert (process.record().state, process.record().identity) == ("waiting", None)
    assert "not yet" in process.record().detail


def test_what_answers_no_more_is_unready_and_not_restarted(tmp_path: Path, clock: FixedClock) -> None:
    answers = iter((nothing, refuse, nothing))

    def answer() -> None:
        next(answers)()

    process = Supervised(replace(lasting(tmp_path), check=answer), clock)
    tick_until(process, lambda: process.record().state == "ready")
    pid = process.record().identity

    clock.elapsed_s += 60
    process.tick(may_start=True)
    assert process.record().state == "unready"
    clock.elapsed_s += 60
    process.tick(may_start=True)

    assert (process.record().state, process.record().identity, process.record().restarts) == ("ready", pid, 0)
    stop(process)


def test_what_is_halted_stays_stopped_until_it_is_released(tmp_path: Path, clock: FixedClock) -> None:
    process = Supervised(lasting(tmp_path), clock)
    tick_until(process, lambda: process.record().state == "ready")

    process.halt()
    tick_until(process, lambda: process.record().state == "stopped")
    clock.elapsed_s += 60
    process.tick(may_start=True)
    assert (process.record().state, process.record().identity) == ("stopped", None)

    process.release()
    tick_until(process, lambda: process.record().state == "ready")
    stop(process)


def test_what_ignores_its_stop_is_killed_after_its_grace(tmp_path: Path, clock: FixedClock) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('up', 'w'); time.sleep(300)"
    command = (sys.executable, "-S", "-c", code.replace("'up'", repr(str(tmp_path / "up"))))
    process = Supervised(replace(lasting(tmp_path), command=command), clock)
    tick_until(process, (tmp_path / "up").exists)

    process.halt()
    process.tick(may_start=True)
    assert process.record().state != "stopped"
    clock.elapsed_s += process.spec.grace_s
    tick_until(process, lambda: process.record().state == "stopped")
