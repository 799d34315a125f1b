"""The next full batch is handed over while one is computed; what happens between two batches still does."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InferenceFailed
from models.client import InferRequest, InferResult, Priority
from models.fake import FAKE_SERVED
from models.remote import RemoteClient
from models.serving import worker as worker_module
from models.serving.job import EngineSickError, Job
from models.serving.shadows import Shadows
from models.serving.worker import Worker, WorkerStalledError
from models.spec import ClipSpec
from tests.fixtures.inference import StubEngine, client_of, running_worker, until

pytestmark = pytest.mark.integration
_NEXT = replace(FAKE_SERVED, model_version="text:2|video:2|fusion:-")
_BATCH = 4


class _Steps:
    """Lets one batch through each time it is told to."""

    def __init__(self) -> None:
        self.entered: list[list[int]] = []
        self._may_go = threading.Semaphore(0)

    def __call__(self, jobs: Sequence[Job]) -> None:
        self.entered.append([(job.token_ids or (0,))[0] for job in jobs])
        assert self._may_go.acquire(timeout=30)

    def go(self, batches: int = 1) -> None:
        self._may_go.release(batches)


@pytest.fixture
def steps() -> Iterator[_Steps]:
    steps = _Steps()
    yield steps
    steps.go(100)


@pytest.fixture
def bind(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/worker.sock"


def _send(client: RemoteClient, *ids: int, priority: Priority = Priority.LIVE) -> list["Future[InferResult]"]:
    return [client.infer(InferRequest((number,), priority=priority)) for number in ids]


def _two_batches(client: RemoteClient, worker: Worker, steps: _Steps) -> list["Future[InferResult]"]:
    """The first is computed, the second was handed over."""
    client.served()
    first = _send(client, 0)
    until(lambda: steps.entered == [[0]])
    second = _send(client, *range(1, 1 + _BATCH))
    until(lambda: worker.numbers()["queue_requests"] == 0 and len(worker._ahead) == _BATCH)
    return first + second


def test_a_full_batch_is_handed_over_while_one_is_computed_and_both_are_answered(bind: str, steps: _Steps) -> None:
    with running_worker(StubEngine(before=steps), bind=bind, max_batch=_BATCH) as worker, client_of(bind) as client:
        futures = _two_batches(client, worker, steps)
        steps.go(2)

        assert [future.result(10).text for future in futures] == [{"harmful": n / 100} for n in range(1 + _BATCH)]
        assert steps.entered == [[0], [1, 2, 3, 4]]


@pytest.mark.parametrize(
    ("ids", "priority"), [(range(1, _BATCH), Priority.LIVE), (range(1, 1 + _BATCH), Priority.BACKGROUND)]
)
def test_a_batch_that_may_still_change_is_not_handed_over(
    bind: str, steps: _Steps, ids: range, priority: Priority
) -> None:
    with running_worker(StubEngine(before=steps), bind=bind, max_batch=_BATCH) as worker, client_of(bind) as client:
        client.served()
        _send(client, 0)
        until(lambda: steps.entered == [[0]])
        _send(client, *ids, priority=priority)
        until(lambda: worker.numbers()["queue_requests"] == len(ids))
        live = _send(client, 50)
        until(lambda: worker.numbers()["queue_requests"] == len(ids) + 1 or bool(worker._ahead))
        steps.go(3)

        assert live[0].result(10).text == {"harmful": 0.5}
        assert 50 in steps.entered[1]


def test_what_was_handed_over_is_computed_before_a_swap_by_the_engine_it_was_made_for(bind: str, steps: _Steps) -> None:
    new = StubEngine(replace(_NEXT, clip=ClipSpec(4, 16, FAKE_SERVED.clip.resize)))
    with running_worker(StubEngine(before=steps), bind=bind, max_batch=_BATCH) as worker, client_of(bind) as client:
        futures = _two_batches(client, worker, steps)
        worker.swap(new)
        steps.go(2)

        assert {future.result(10).model_version for future in futures} == {FAKE_SERVED.model_version}
        until(lambda: client.served() == new.served)


def test_a_swap_waits_for_no_further_batch(bind: str, steps: _Steps) -> None:
    with running_worker(StubEngine(before=steps), bind=bind, max_batch=_BATCH) as worker, client_of(bind) as client:
        first, *_ = _two_batches(client, worker, steps)
        late = _send(client, *range(10, 10 + _BATCH))
        until(lambda: worker.numbers()["queue_requests"] == _BATCH)
        worker.swap(StubEngine(_NEXT))
        steps.go()
        first.result(10)
        steps.go()

        assert {future.result(10).model_version for future in late} == {_NEXT.model_version}


def test_an_engine_that_may_be_given_up_has_one_batch_at_a_time(bind: str, steps: _Steps) -> None:
    def breaks(jobs: Sequence[Job]) -> None:
        steps(jobs)
        raise EngineSickError("known inputs give other scores")

    new = StubEngine(_NEXT, before=breaks)
    with running_worker(StubEngine(), bind=bind, max_batch=_BATCH) as worker, client_of(bind, attempts=1) as client:
        client.served()
        worker.swap(new)
        until(lambda: worker.served == new.served)
        first = _send(client, 0)
        until(lambda: steps.entered == [[0]])
        second = _send(client, *range(1, 1 + _BATCH))
        until(lambda: worker.numbers()["queue_requests"] == _BATCH)
        steps.go()

        versions = {future.result(10).model_version for future in first + second}
        assert versions == {FAKE_SERVED.model_version}
        assert steps.entered == [[0]]


def test_a_batch_that_never_ends_is_blamed_alone_and_the_one_behind_it_is_answered_by_the_next_worker(
    bind: str, steps: _Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_STOP_S", 0.1)
    with client_of(bind, attempts=1) as client:
        engine = StubEngine(before=steps)
        with running_worker(engine, bind=bind, ends_with=WorkerStalledError, max_batch=_BATCH) as worker:
            stuck, *behind = _two_batches(client, worker, steps)
            monkeypatch.setattr(worker_module, "STALL_S", 0.0)
        with running_worker(StubEngine(), bind=bind):
            assert isinstance(stuck.exception(10), InferenceFailed)
            assert [future.result(20).text for future in behind] == [{"harmful": n / 100} for n in range(1, 1 + _BATCH)]


def test_the_clock_of_a_stall_starts_anew_with_each_batch(
    bind: str, steps: _Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_worker(StubEngine(before=steps), bind=bind, max_batch=_BATCH) as worker, client_of(bind) as client:
        _two_batches(client, worker, steps)
        before_s = worker._started_s
        steps.go()

        until(lambda: len(worker._computing) == _BATCH)
        assert worker._started_s > before_s
        steps.go()


def test_a_worker_that_drains_answers_what_was_handed_over(bind: str, steps: _Steps) -> None:
    with client_of(bind) as client:
        with running_worker(StubEngine(before=steps), bind=bind, max_batch=_BATCH) as worker:
            futures = _two_batches(client, worker, steps)
            worker.drain()
            steps.go(2)

        assert [future.result(10).text for future in futures] == [{"harmful": n / 100} for n in range(1 + _BATCH)]


def test_blocks_of_clients_that_are_gone_are_let_go_under_full_load(bind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_SWEEP_S", 0.05)
    with running_worker(StubEngine(delay_s=0.002), bind=bind, max_batch=1) as worker, client_of(bind) as client:
        with client_of(bind) as gone:
            gone.served()
            with gone.slot() as slot:
                gone.infer(InferRequest(None, slot)).result(10)
        is_over = threading.Event()

        def load() -> None:
            while not is_over.is_set():
                for future in _send(client, *range(32)):
                    future.result(30)

        thread = threading.Thread(target=load)
        thread.start()
        try:
            until(lambda: slot.shm_name not in worker._reader._open)
        finally:
            is_over.set()
            thread.join(30)


class _Noted(Shadows):
    """Notes which batch was held and offered, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[tuple[str, int]] = []

    def hold(self, jobs: Sequence[Job], clip: ClipSpec) -> None:
        self.noted.append(("hold", len(jobs)))
        super().hold(jobs, clip)

    def offer(self, jobs: Sequence[Job], results: Sequence[InferResult]) -> None:
        self.noted.append(("offer", len(jobs)))
        super().offer(jobs, results)


def test_clips_for_challengers_are_kept_batch_by_batch(bind: str, steps: _Steps) -> None:
    shadows, engine = _Noted(), StubEngine(before=steps)
    with running_worker(engine, bind=bind, max_batch=_BATCH, shadows=shadows) as worker, client_of(bind) as client:
        futures = _two_batches(client, worker, steps)
        steps.go(2)
        for future in futures:
            future.result(10)

    assert shadows.noted == [("hold", 1), ("offer", 1), ("hold", _BATCH), ("offer", _BATCH)]
