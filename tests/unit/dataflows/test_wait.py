"""Waiting ends with an answer or with a stop; what is waited for is told until it answers everybody."""

import threading
from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs

from core.errors import MediaMissing, ObjectsUnavailable, StoreUnavailable
from core.health import Health
from dataflows.wait import NOT_ASKED, Patience, StoppingError, Watch
from tests.fixtures.stores import eventually


class Store:
    """A dependency that is up or down."""

    def __init__(self) -> None:
        self.is_up = threading.Event()
        self.asked = 0

    def ask(self) -> None:
        self.asked += 1
        if not self.is_up.is_set():
            raise StoreUnavailable("down")


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    stop = threading.Event()
    yield stop
    stop.set()


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def patience(health: Health, stop: threading.Event) -> Patience:
    return Patience(health, stop, wait_max_s=0.01)


@pytest.fixture
def watch(patience: Patience, stop: threading.Event) -> Callable[[Store], None]:
    return lambda store: Watch(patience, {"database": store.ask}, stop, every_s=0.01).start()


def test_a_stop_ends_the_wait(patience: Patience, stop: threading.Event) -> None:
    stop.set()

    with pytest.raises(StoppingError):
        patience.until_done("database", Store().ask)


def test_a_dependency_that_goes_and_comes_back_is_logged_once_each(patience: Patience) -> None:
    store = Store()

    def third_time() -> None:
        if store.asked == 2:
            store.is_up.set()
        store.ask()

    with capture_logs() as logs:
        patience.until_done("database", third_time)

    told = [entry["event"] for entry in logs if entry["event"].startswith("dependency.")]
    assert told == ["dependency.away", "dependency.back"]


def test_an_answer_about_the_input_is_an_answer(patience: Patience, health: Health) -> None:
    answers = iter([ObjectsUnavailable("down"), MediaMissing("no such object")])

    def fetch() -> None:
        raise next(answers)

    with pytest.raises(MediaMissing):
        patience.until_done("objects", fetch)
    assert health.is_ready()


def test_a_dependency_is_not_back_while_it_refuses_somebody(patience: Patience, health: Health) -> None:
    refusing = Store()
    writer = threading.Thread(target=patience.until_done, args=("database", refusing.ask))
    writer.start()
    eventually(lambda: refusing.asked)

    patience.until_done("database", lambda: None)

    assert "down" in health.waiting_for()
    refusing.is_up.set()
    writer.join()
    assert health.is_ready()


def test_a_watched_dependency_is_not_ready_before_it_answered(
    watch: Callable[[Store], None], health: Health, patience: Patience
) -> None:
    patience.expect("database")
    assert health.waiting_for() == f"database: {NOT_ASKED}"

    store = Store()
    watch(store)

    eventually(lambda: "down" in health.waiting_for())
    store.is_up.set()
    eventually(health.is_ready)


def test_a_watched_dependency_that_goes_later_is_told_without_any_work(
    watch: Callable[[Store], None], health: Health
) -> None:
    store = Store()
    store.is_up.set()
    watch(store)
    eventually(health.is_ready)

    store.is_up.clear()

    eventually(lambda: not health.is_ready())
