import threading

import pytest

from core.clock import FixedClock
from ingestion.download.pace import Pace
from tests.fixtures.stores import NOON


def pace(clock: FixedClock, pause_s: float = 2.0) -> Pace:
    return Pace(pause_s, threading.Event(), clock=clock)


def test_downloads_from_one_host_begin_a_while_apart_and_others_do_not_wait() -> None:
    clock = FixedClock(NOON)
    waits = pace(clock)

    assert [waits.turn_in_s(host) for host in ("a", "a", "b", "a")] == [0.0, 2.0, 0.0, 4.0]


def test_a_host_that_was_left_alone_is_asked_at_once() -> None:
    clock = FixedClock(NOON)
    waits = pace(clock)
    waits.turn_in_s("a")

    clock.elapsed_s = 10.0

    assert waits.turn_in_s("a") == pytest.approx(0.0)


def test_hosts_of_long_ago_are_forgotten() -> None:
    clock = FixedClock(NOON)
    waits = pace(clock)
    for number in range(1_001):
        waits.turn_in_s(f"host-{number}")

    clock.elapsed_s = 10.0
    waits.turn_in_s("a")

    assert set(waits._next_s) == {"a"}
