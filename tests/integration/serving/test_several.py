"""One client, several workers: the least loaded is asked, what is lost goes to another, versions may differ."""

import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InferenceStale
from core.media.protocol import Resize
from models import peer, wire
from models.client import InferRequest, InferResult
from models.fake import FAKE_SERVED
from models.remote import RemoteClient
from models.serving.job import Job
from models.spec import ClipSpec
from tests.fixtures.inference import (
    StubEngine,
    client_of,
    kept_alive,
    raw_dealer,
    running_worker,
    start_worker_process,
    until,
)

pytestmark = pytest.mark.integration
OTHER = replace(FAKE_SERVED, model_version="text:2|video:2|fusion:-", clip=ClipSpec(4, 16, Resize.CROP))


@pytest.fixture
def binds(tmp_path: Path) -> tuple[str, str]:
    return f"ipc://{tmp_path}/one.sock", f"ipc://{tmp_path}/two.sock"


@pytest.fixture
def processes(binds: tuple[str, str]) -> Iterator[list["subprocess.Popen[bytes]"]]:
    started = [start_worker_process(bind, delay_s=0.02) for bind in binds]
    yield started
    for process in started:
        process.kill()
        process.wait(10)


def _all_answer(client: RemoteClient, count: int) -> None:
    client.served()
    until(lambda: client.state().answering == count, 30)


def _ask(client: RemoteClient, count: int) -> list["Future[InferResult]"]:
    return [client.infer(InferRequest((number % 60,))) for number in range(count)]


def _are_right(futures: Sequence["Future[InferResult]"]) -> bool:
    return [future.result(60).text for future in futures] == [{"harmful": n % 60 / 100} for n in range(len(futures))]


def test_two_workers_share_the_load_and_nothing_is_computed_twice(binds: tuple[str, str], free_port: int) -> None:
    engines = StubEngine(delay_s=0.005), StubEngine(delay_s=0.005)
    tcp = f"tcp://127.0.0.1:{free_port}"
    with ExitStack() as stack:
        for engine, bind in zip(engines, (binds[0], tcp), strict=True):
            stack.enter_context(running_worker(engine, bind=bind))
        client = stack.enter_context(client_of(binds[0], tcp, slots=16))
        _all_answer(client, 2)

        def score(number: int) -> bool:
            with client.slot() as slot:
                slot.frames[:] = number
                result = client.infer(InferRequest((number % 60,), slot)).result(30)
            return result.video == pytest.approx({"harmful": number / 255})

        with ThreadPoolExecutor(16) as pool:
            assert all(pool.map(score, range(200)))

    assert sum(engines[0].batches) + sum(engines[1].batches) == 200
    assert min(sum(engine.batches) for engine in engines) > 40


def test_the_worker_with_less_to_do_is_asked(binds: tuple[str, str]) -> None:
    is_open = threading.Event()
    busy, idle = StubEngine(before=lambda _jobs: is_open.wait(30) and None), StubEngine()
    with (
        running_worker(busy, bind=binds[0]),
        running_worker(idle, bind=binds[1]),
        raw_dealer(binds[0]) as other,
        client_of(*binds) as client,
    ):
        _all_answer(client, 2)
        for number in range(50):
            other.send(wire.Infer(id=number, inputs_id="", priority=1, deadline_ms=60_000, token_ids=(1,)).to_bytes())
        until(lambda: client._link._peers[binds[0]].others == 50)

        assert all(_are_right(_ask(client, 1)) for _ in range(20))

        assert (sum(busy.batches), sum(idle.batches)) == (0, 20)
        is_open.set()


def test_of_two_workers_one_is_killed_under_load_and_every_answer_comes(
    binds: tuple[str, str], processes: list["subprocess.Popen[bytes]"]
) -> None:
    with client_of(*binds, slots=16, attempts=1) as client:
        _all_answer(client, 2)
        futures = _ask(client, 400)
        futures[50].result(30)

        processes[0].kill()

        assert _are_right(futures)
        until(lambda: client.state().answering == 1)
        assert client.state().is_connected
        assert binds[0] in client.state().detail


def test_a_worker_that_is_stopped_is_left_within_two_seconds_and_taken_back(
    binds: tuple[str, str], processes: list["subprocess.Popen[bytes]"]
) -> None:
    assert peer.PING_S + peer.LOST_S < 2
    with client_of(*binds, attempts=1) as client:
        _all_answer(client, 2)
        for _ in range(3):
            futures = _ask(client, 64)
            processes[0].send_signal(signal.SIGSTOP)
            assert _are_right(futures)
            until(lambda: client.state().answering == 1)

            processes[0].send_signal(signal.SIGCONT)
            _all_answer(client, 2)
            assert _are_right(_ask(client, 64))


def test_each_worker_is_replaced_under_load_and_nobody_is_blamed(binds: tuple[str, str]) -> None:
    with kept_alive(binds[0]) as ones, kept_alive(binds[1]) as twos, client_of(*binds, attempts=1) as client:
        _all_answer(client, 2)
        futures: list[Future[InferResult]] = []
        for number, workers in enumerate((ones, twos, ones, twos)):
            futures += _ask(client, 60)
            workers[-1].send_signal((signal.SIGTERM, signal.SIGKILL)[number % 2])
            assert _are_right(futures[-60:])
            _all_answer(client, 2)

        assert [len(ones), len(twos)] == [3, 3]


def test_while_workers_swap_one_after_the_other_every_answer_has_one_version_and_old_inputs_are_stale(
    binds: tuple[str, str],
) -> None:
    with (
        running_worker(StubEngine(), bind=binds[0]) as one,
        running_worker(StubEngine(), bind=binds[1]) as two,
        client_of(*binds) as client,
    ):
        _all_answer(client, 2)
        one.swap(StubEngine(OTHER))
        until(lambda: "takes other inputs" in client.state().detail)

        assert client.served() == FAKE_SERVED
        results = [future.result(10) for future in _ask(client, 20)]
        assert {result.model_version for result in results} == {FAKE_SERVED.model_version}

        two.swap(StubEngine(OTHER))
        until(lambda: client.served() == OTHER)
        old = client.infer(InferRequest((1,), inputs_id=FAKE_SERVED.inputs_id))
        assert isinstance(old.exception(10), InferenceStale)
        assert {future.result(10).model_version for future in _ask(client, 20)} == {OTHER.model_version}
        assert "takes other inputs" not in client.state().detail


def test_what_was_sent_before_a_swap_goes_to_the_worker_that_has_not_swapped(binds: tuple[str, str]) -> None:
    entered, is_open = threading.Event(), threading.Event()

    def wait(_jobs: Sequence[Job]) -> None:
        entered.set()
        assert is_open.wait(30)

    with (
        running_worker(StubEngine(before=wait), bind=binds[0], max_batch=1) as one,
        running_worker(StubEngine(), bind=binds[1]),
        client_of(*binds) as client,
    ):
        _all_answer(client, 2)
        futures = _ask(client, 20)
        assert entered.wait(10)
        one.swap(StubEngine(OTHER))
        is_open.set()

        assert _are_right(futures)
        assert {future.result(0).model_version for future in futures} == {FAKE_SERVED.model_version}


def test_while_none_answers_requests_wait_and_the_first_that_comes_gets_them(binds: tuple[str, str]) -> None:
    with client_of(*binds) as client:
        waiting = _ask(client, 20)
        assert client.state().detail.startswith("0 of 2 workers answer")
        with running_worker(StubEngine(), bind=binds[1]):
            assert _are_right(waiting)


def test_a_worker_that_computes_without_a_pause_answers_pings_in_time(tmp_path: Path) -> None:
    def spin(_jobs: Sequence[Job]) -> None:
        end_s = time.monotonic() + 0.1
        while time.monotonic() < end_s:
            pass

    bind = f"ipc://{tmp_path}/worker.sock"
    with running_worker(StubEngine(before=spin), bind=bind, max_batch=1), client_of(bind) as client:
        client.served()
        futures = _ask(client, 20)
        with raw_dealer(bind) as socket:
            took_s = []
            while not all(future.done() for future in futures):
                started_s = time.monotonic()
                socket.send(wire.Ping(number=1).to_bytes())
                assert isinstance(wire.parse_answer(socket.recv()), wire.Pong)
                took_s.append(time.monotonic() - started_s)
                time.sleep(0.01)

        assert client.state().is_connected
        assert max(took_s) < peer.LOST_S / 2
