"""Workers and clients as processes: killed, drained, replaced."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InferenceCrashed
from models import wire
from models.arena import DIRECTORY
from models.client import InferRequest, InferResult
from models.fake import FAKE_SERVED
from tests.fixtures.inference import (
    KILLING_ID,
    StubEngine,
    client_of,
    kept_alive,
    raw_dealer,
    running_worker,
    start_worker_process,
    until,
)

pytestmark = pytest.mark.integration
_ROOT = Path(__file__).parents[3]


@pytest.fixture
def bind(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/worker.sock"


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[bytes]"]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait(10)


@pytest.mark.parametrize("transport", ["ipc", "tcp"])
def test_a_killed_worker_loses_no_request(
    bind: str, free_port: int, started: list["subprocess.Popen[bytes]"], transport: str
) -> None:
    endpoint = bind if transport == "ipc" else f"tcp://127.0.0.1:{free_port}"
    started.append(start_worker_process(endpoint, delay_s=0.01))
    with client_of(endpoint, slots=8, attempts=1) as client:
        client.served()

        def score(number: int) -> bool:
            with client.slot() as slot:
                slot.frames[:] = number % 256
                result = client.infer(InferRequest((number % 60,), slot)).result(60)
            if number in (100, 250):
                started[-1].kill()
                started[-1].wait(10)
                started.append(start_worker_process(endpoint, delay_s=0.01))
            return result.video == pytest.approx({"harmful": number % 256 / 255})

        with ThreadPoolExecutor(16) as pool:
            assert all(pool.map(score, range(400)))

    assert len(started) == 3


def test_an_input_that_kills_its_worker_ends_as_crashed_and_the_innocent_of_every_client_are_scored(
    bind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.outbox.PAUSE_S", 2.0)
    with kept_alive(bind) as workers, client_of(bind, slots=16) as one, client_of(bind, slots=16) as other:
        one.served()
        other.served()
        before = [one.infer(InferRequest((number,))) for number in range(10)]
        guilty = one.infer(InferRequest((KILLING_ID,)))
        after = [client.infer(InferRequest((number,))) for client in (one, other) for number in range(20)]

        assert isinstance(guilty.exception(60), InferenceCrashed)
        texts = [future.result(30).text for future in (*before, *after)]

    assert texts == [{"harmful": number / 100} for number in (*range(10), *range(20), *range(20))]
    assert len(workers) == 1 + 3


def test_rolling_restarts_under_load_blame_nobody(bind: str) -> None:
    futures: list[Future[InferResult]] = []
    with kept_alive(bind) as workers, client_of(bind, slots=8) as client:
        client.served()
        for restart in range(1, 5):
            futures += [client.infer(InferRequest((number,))) for number in range(50)]
            client.infer(InferRequest((1,))).result(30)
            workers[-1].send_signal(signal.SIGTERM)
            for number in range(50):
                futures.append(client.infer(InferRequest((number,))))
                time.sleep(0.001)
            until(lambda: len(workers) > restart)  # noqa: B023 - called before the next turn

        assert [future.result(30).text for future in futures] == [{"harmful": n / 100} for n in range(50)] * 8
        assert [worker.poll() for worker in workers[:-1]] == [0] * 4


def test_while_no_worker_answers_requests_wait_and_the_client_says_so(
    bind: str, started: list["subprocess.Popen[bytes]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.peer.LOST_S", 0.6)
    started.append(start_worker_process(bind))
    with client_of(bind) as client:
        client.served()
        assert client.state().is_connected
        started[-1].kill()
        until(lambda: not client.state().is_connected)
        waiting = client.infer(InferRequest((70,)))
        assert not waiting.done()

        started.append(start_worker_process(bind))

        assert waiting.result(20).text == {"harmful": 0.7}
        assert client.state().is_connected


def test_sigterm_answers_everything_accepted_and_exits_0(bind: str, started: list["subprocess.Popen[bytes]"]) -> None:
    worker = start_worker_process(bind, delay_s=0.1)
    started.append(worker)
    with raw_dealer(bind) as socket:
        for number in range(60):
            socket.send(_infer(number))
        first = wire.parse_answer(socket.recv())
        worker.send_signal(signal.SIGTERM)
        answers = [first, *(wire.parse_answer(socket.recv()) for _ in range(59))]

    assert worker.wait(20) == 0
    assert sorted(answer.id for answer in answers if isinstance(answer, wire.Result | wire.Busy)) == list(range(60))
    assert sum(isinstance(answer, wire.Result) for answer in answers) >= 32


def test_a_client_loses_nothing_to_a_worker_that_is_replaced(
    bind: str, started: list["subprocess.Popen[bytes]"]
) -> None:
    started.append(start_worker_process(bind, delay_s=0.02))
    with client_of(bind, attempts=1) as client:
        client.served()
        futures = [client.infer(InferRequest((number,))) for number in range(64)]
        started[-1].send_signal(signal.SIGTERM)
        futures += [client.infer(InferRequest((number,))) for number in range(64)]
        assert started[-1].wait(20) == 0

        started.append(start_worker_process(bind))

        assert [future.result(30).text for future in futures] == [{"harmful": n / 100} for n in range(64)] * 2


def test_a_killed_client_leaves_no_memory_behind(bind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.serving.worker._SWEEP_S", 0.2)
    code = (
        "import sys; from core.settings import InferenceSettings; from models.client import InferRequest;"
        "from models.remote import RemoteClient;"
        f"client = RemoteClient(InferenceSettings(endpoints=('{bind}',), slots=4)); client.served();"
        "slot = client.slot().__enter__(); client.infer(InferRequest(None, slot)).result(10);"
        "print(slot.shm_name, flush=True); sys.stdin.read()"
    )
    with running_worker(StubEngine(), bind=bind) as worker:
        client = subprocess.Popen(
            [sys.executable, "-c", code], cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with client:
            assert client.stdout is not None
            block = DIRECTORY / next(line.strip() for line in client.stdout if line.startswith("clipwarden-"))
            assert block.is_file()

            client.kill()

        until(lambda: not block.exists())
        until(lambda: worker._reader._open == {})


def test_a_client_that_closes_leaves_no_memory_behind(bind: str) -> None:
    with running_worker(StubEngine(), bind=bind), client_of(bind) as client:
        client.served()
        with client.slot() as slot:
            block = DIRECTORY / str(slot.shm_name)
            assert block.is_file()

    assert not block.exists()
    assert not list(DIRECTORY.glob(f"clipwarden-{os.getpid()}-*"))


def test_a_new_worker_with_other_models_is_noticed(bind: str) -> None:
    other = replace(FAKE_SERVED, model_version="text:2|video:2|fusion:2")
    with client_of(bind) as client:
        with running_worker(StubEngine(), bind=bind):
            assert client.served() == FAKE_SERVED
        with running_worker(StubEngine(other), bind=bind):
            until(lambda: client.served() == other)


def test_closing_while_no_worker_answers_wakes_those_who_wait(bind: str) -> None:
    with client_of(bind) as client, ThreadPoolExecutor(2) as pool:
        waiting: list[Future[object]] = [pool.submit(client.served), pool.submit(client.slot().__enter__)]
        client.close()

        assert all(future.exception(10) is not None for future in waiting)


def _infer(number: int) -> bytes:
    return wire.Infer(id=number, inputs_id="", priority=1, deadline_ms=60_000, token_ids=(number,)).to_bytes()
