import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.clock import FixedClock
from core.errors import StoreUnavailable
from dashboard.remembered import MAX_KEPT, Remembered
from tests.fixtures.stores import NOON


def test_many_who_ask_at_once_are_one_question() -> None:
    memory, asked, together = Remembered(FixedClock(NOON), fresh_s=1), [], threading.Barrier(8)

    def ask() -> int:
        asked.append(1)
        threading.Event().wait(0.05)
        return 7

    def look(_: int) -> int:
        together.wait()
        return memory.get("block", ask).value

    with ThreadPoolExecutor(8) as viewers:
        assert list(viewers.map(look, range(8))) == [7] * 8
    assert len(asked) == 1


def test_the_oldest_answers_make_room() -> None:
    memory = Remembered(FixedClock(NOON), fresh_s=1)

    for number in range(MAX_KEPT + 1):
        memory.get(number, lambda number=number: number)

    assert memory.get(0, lambda: "asked again").value == "asked again"
    assert memory.get(MAX_KEPT, lambda: "asked again").value == MAX_KEPT


def test_a_database_that_does_not_answer_is_asked_again_after_a_while() -> None:
    clock, asked = FixedClock(NOON), []
    memory = Remembered(clock, fresh_s=1)

    def ask() -> int:
        asked.append(1)
        raise StoreUnavailable("down")

    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            memory.get("block", ask)
    assert len(asked) == 1

    clock.elapsed_s = 6
    assert memory.get("block", lambda: 7).value == 7
    assert memory.down_since is None
