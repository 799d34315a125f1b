"""What is derived follows the database: the view when it is empty, the counters always, stores that are down later."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from core.clock import FixedClock
from core.errors import CacheUnavailable, StoreUnavailable
from core.storage.memory import MemoryHistory, MemoryLive
from dataflows.project import COUNT_EVERY_S, LOAD, Projector
from tests.fixtures.stores import NOON, eventually, make_alert, make_dead_letter, make_verdict

LIVE_SIZE = 10


class History(MemoryHistory):
    """A database that a test can take down, and in which counting does something first."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.before_counting: Callable[[], object] = lambda: None

    def counts(self, since: datetime) -> dict[str, int]:
        self.asked += 1
        self.before_counting()
        return super().counts(since)


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def live() -> MemoryLive:
    return MemoryLive(live_size=LIVE_SIZE)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON + timedelta(minutes=30))


@pytest.fixture
def projector(history: History, live: MemoryLive, clock: FixedClock) -> Iterator[Projector]:
    projector = Projector(history, live, live_size=LIVE_SIZE, clock=clock)
    yield projector
    projector.stop()


def test_an_empty_view_is_rebuilt_with_its_alerts(projector: Projector, history: History, live: MemoryLive) -> None:
    alert, safe = make_alert("v:alert"), [make_verdict(f"v:{n}", offset=n, minute=n) for n in range(1, 31)]
    history.write([alert, *safe], [])

    projector.project_once()

    assert live.snapshot().verdicts == (*reversed(safe[-LIVE_SIZE:]), alert)
    assert live.snapshot().updated_at == NOON + timedelta(minutes=30)


def test_a_view_that_lost_its_data_is_rebuilt_again(projector: Projector, history: History, live: MemoryLive) -> None:
    history.write([make_alert()], [])
    projector.project_once()
    live.clear()

    projector.project_once()

    assert live.snapshot().verdicts == (make_alert(),)


def test_a_view_that_is_built_is_left_to_the_writer(projector: Projector, history: History, live: MemoryLive) -> None:
    projector.project_once()
    history.write([make_alert()], [])

    projector.project_once()

    assert live.snapshot().verdicts == ()


def test_counters_are_replaced_by_those_of_the_last_hour(
    projector: Projector, history: History, live: MemoryLive, clock: FixedClock
) -> None:
    live.count({"safe": 99, "no longer counted": 1}, NOON)
    history.write([make_alert("v:1", minute=20), make_verdict("v:old", offset=1, minute=-31)], [make_dead_letter()])

    projector.project_once()

    snapshot = live.snapshot()
    expected = {"harmful": 1, "review": 0, "safe": 0, "partial": 0, "unscored": 0, "videos": 1, "dead_letters": 1}
    assert (snapshot.counts, snapshot.counted_at) == (expected, clock.now())


@pytest.mark.parametrize(("took_s", "pause_s"), [(0.01, COUNT_EVERY_S), (3.0, 3.0 / LOAD)])
def test_a_chore_that_takes_long_comes_round_less_often(
    projector: Projector, history: History, clock: FixedClock, took_s: float, pause_s: float
) -> None:
    def take_long() -> None:
        clock.elapsed_s += took_s

    history.before_counting = take_long

    assert projector._do(projector.project_once, COUNT_EVERY_S) == took_s + pause_s


@pytest.mark.parametrize("error", [StoreUnavailable("down"), CacheUnavailable("down")])
def test_a_store_that_is_down_is_asked_again_at_the_next_turn(
    projector: Projector, history: History, live: MemoryLive, clock: FixedClock, error: Exception
) -> None:
    def be_down() -> None:
        raise error

    history.before_counting = be_down
    history.write([make_alert()], [])
    projector.start()
    eventually(lambda: history.asked == 1)
    assert live.snapshot().counts == {}

    history.before_counting = lambda: None
    clock.elapsed_s += COUNT_EVERY_S

    eventually(lambda: live.snapshot().counts.get("harmful") == 1)


def test_a_store_that_hangs_is_not_waited_for_at_the_end(projector: Projector, history: History) -> None:
    answered = threading.Event()
    history.before_counting = answered.wait
    projector.start()
    eventually(lambda: history.asked == 1)

    projector.stop(timeout_s=0.01)

    answered.set()
