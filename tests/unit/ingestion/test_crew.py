import threading

import pytest

from core.errors import StoreUnavailable
from core.health import Health
from ingestion import crew as module
from ingestion.crew import Crew


def test_a_dependency_that_is_away_is_waited_for_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    health, seen, back = Health(), threading.Event(), threading.Event()
    crew = Crew(health)

    def turn() -> bool:
        if health.waiting_for():
            seen.set()
        if not seen.is_set():
            raise StoreUnavailable("down")
        back.set()
        return False

    crew.add("items", turn)

    assert seen.wait(5)
    assert back.wait(5)
    assert crew.finish(5)
    assert health.is_ready()
    assert crew.failure is None


def test_what_nobody_foresaw_ends_the_crew() -> None:
    crew = Crew(Health())

    crew.add("items", lambda: bool(1 / 0))
    crew.wait()

    assert crew.finish(5)
    assert isinstance(crew.failure, ZeroDivisionError)


def test_work_goes_on_until_it_is_told_to_stop() -> None:
    crew, turns = Crew(Health()), threading.Semaphore(0)

    def turn() -> bool:
        turns.release()
        return True

    crew.add("items", turn)

    assert all(turns.acquire(timeout=5) for _ in range(5))
    assert crew.finish(5)
