"""A read that hangs or fails never holds up the page, and its last answer stays."""

import threading

import pytest

from core.clock import FixedClock
from core.errors import StoreUnavailable
from dashboard.watched import HANGS_AFTER_S, Watched, soon
from tests.fixtures.stores import NOON, eventually


def test_an_answer_is_kept_until_it_is_due_again() -> None:
    answers = iter((1, 2))
    clock = FixedClock(NOON)
    watched = Watched(lambda: next(answers), clock, every_s=5)

    assert (watched.look().value, watched.look().value) == (1, 1)
    clock.elapsed_s = 6
    assert watched.look().value == 2


def test_a_failure_keeps_the_last_answer_and_since_when_it_is_old() -> None:
    answers: list[int] = [1]
    clock = FixedClock(NOON)

    def read() -> int:
        if not answers:
            raise StoreUnavailable("refused")
        return answers.pop()

    watched = Watched(read, clock, every_s=0)
    watched.look()

    for _ in range(2):
        look = watched.look()
        clock.at = NOON.replace(hour=13)

    assert (look.value, look.down_since) == (1, NOON)
    assert "refused" in look.reason
    answers.append(3)
    assert (watched.look().value, watched.look().value) == (3, 3)


def test_a_read_that_hangs_is_called_down_since_it_began_and_recovers_by_itself() -> None:
    gate, clock = threading.Event(), FixedClock(NOON)
    watched = Watched(lambda: gate.wait(10), clock, every_s=0)
    watched.look(patience_s=0.01)

    clock.elapsed_s, clock.at = HANGS_AFTER_S, NOON.replace(hour=13)
    look = watched.look(patience_s=0.01)
    assert look.down_since == NOON

    gate.set()
    eventually(lambda: watched.look().value)
    assert watched.look().down_since is None


def test_a_read_that_is_slow_is_not_called_down_and_its_last_answer_stays() -> None:
    gate, clock = threading.Event(), FixedClock(NOON)
    gate.set()
    watched = Watched(lambda: gate.wait(10), clock, every_s=1)
    watched.look()
    gate.clear()

    clock.elapsed_s = 1
    look = watched.look(patience_s=0.01)

    assert (look.value, look.down_since, look.at) == (True, None, NOON)
    gate.set()


def test_a_read_that_takes_long_is_asked_seldom() -> None:
    clock, asked = FixedClock(NOON), []

    def read() -> int:
        clock.elapsed_s += 2
        asked.append(clock.elapsed_s)
        return len(asked)

    watched = Watched(read, clock, every_s=1)
    watched.look()

    clock.elapsed_s = 19
    assert watched.look().value == 1
    clock.elapsed_s = 20
    assert watched.look().value == 2


def test_a_read_for_one_viewer_is_given_up_in_time() -> None:
    gate = threading.Event()

    with pytest.raises(StoreUnavailable, match="no answer within"):
        soon(gate.wait, within_s=0.01)
    gate.set()
