"""One worker in a thread: many clients, hostile ones, floods, swaps and stalls."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import msgpack
import pytest

from core.clock import SystemClock
from core.errors import ConfigError, InferenceFailed, InferenceStale
from core.health import Health
from core.media.protocol import Resize
from core.settings import ServingSettings
from models import wire
from models.arena import DIRECTORY, Arena, ArenaReader
from models.client import InferRequest, InferResult
from models.fake import FAKE_SERVED
from models.serving import worker as worker_module
from models.serving.job import EngineSickError, Job
from models.serving.worker import Worker, WorkerStalledError
from models.spec import ClipSpec
from tests.fixtures.inference import FAILING_ID, StubEngine, client_of, raw_dealer, running_worker, until

pytestmark = pytest.mark.integration


@pytest.fixture
def bind(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/worker.sock"


class _Gate:
    """Holds batches until it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Event()

    def __call__(self, jobs: Sequence[Job]) -> None:
        self.entered.set()
        assert self.open.wait(30)


@pytest.fixture
def gate() -> Iterator[_Gate]:
    gate = _Gate()
    yield gate
    gate.open.set()


def _infer(**changes: object) -> bytes:
    fields = {"kind": "infer", "id": 7, "inputs_id": "", "priority": 1, "deadline_ms": 60_000, "token_ids": (1,)}
    return bytes(msgpack.packb(fields | changes))


def test_two_hundred_requests_of_four_clients_are_all_answered_rightly_and_in_batches(bind: str) -> None:
    engine = StubEngine(delay_s=0.01)
    with running_worker(engine, bind=bind), ExitStack() as stack:
        clients = [stack.enter_context(client_of(bind, slots=16)) for _ in range(4)]

        def score(number: int) -> bool:
            client = clients[number % 4]
            client.served()
            with client.slot() as slot:
                slot.frames[:] = number
                result = client.infer(InferRequest((number % 60,), slot)).result(30)
            assert result.text == {"harmful": number % 60 / 100}
            return result.video == pytest.approx({"harmful": number / 255})

        with ThreadPoolExecutor(48) as pool:
            assert all(pool.map(score, range(200)))

    assert sum(engine.batches) == 200
    assert len(engine.batches) < 60


@pytest.mark.parametrize("transport", ["ipc", "tcp"])
def test_hostile_messages_harm_nobody(bind: str, free_port: int, transport: str) -> None:
    slot = {"arena": "../../etc/passwd", "offset_bytes": 0}
    deep = b"\x91" * 5_000 + b"\x01"
    messages: list[list[bytes]] = [
        [b""], [b"", b""], [b"x"] * 6, [b"\xc1"], [deep], [b"\xdf\xff\xff\xff\xff"], [msgpack.packb([1, 2])],
        [_infer(slot=slot)], [_infer(slot=slot | {"arena": "clipwarden-1-0123456789abcdef"})],
        [_infer(has_frame=True)], [_infer(), b"surplus"], [_infer(has_frame=True), b"short"],
        [_infer(token_ids=(2**30,))], [_infer(priority=77)], [_infer(id=-1)], [_infer(), b"", b"", b""],
        [_infer(has_frame=True), bytes(64 << 20)],
        [msgpack.packb({"kind": "hello", "protocol": "one"})], [msgpack.packb({"kind": "welcome"})],
    ]  # fmt: skip
    endpoint = bind if transport == "ipc" else f"tcp://127.0.0.1:{free_port}"
    with running_worker(StubEngine(), bind=endpoint), raw_dealer(endpoint) as hostile, client_of(endpoint) as client:
        for message in messages:
            hostile.send_multipart(message)
            assert client.served() == FAKE_SERVED
            assert client.infer(InferRequest((1, 50))).result(10).text == {"harmful": 0.5}


def test_a_request_that_breaks_the_schema_is_answered_by_its_id(bind: str) -> None:
    with running_worker(StubEngine(), bind=bind), raw_dealer(bind) as socket:
        socket.send(_infer(id=41, priority=77))
        answer = wire.parse_answer(socket.recv())

    assert isinstance(answer, wire.Error)
    assert (answer.id, answer.code) == (41, "inference.refused")
    assert "priority" in answer.message


def test_ids_outside_the_vocabulary_are_refused_before_they_reach_the_device(bind: str) -> None:
    engine = StubEngine()
    with running_worker(engine, bind=bind), raw_dealer(bind) as socket:
        socket.send(_infer(token_ids=(5, 100)))
        answer = wire.parse_answer(socket.recv())

    assert isinstance(answer, wire.Error)
    assert answer.code == "inference.refused"
    assert engine.batches == []


def test_a_flood_is_answered_busy_at_once_and_the_queue_stays_bounded(bind: str, gate: _Gate) -> None:
    engine = StubEngine(before=gate)
    with running_worker(engine, bind=bind, max_queue=8, max_batch=1) as worker, raw_dealer(bind) as socket:
        socket.send(_infer(id=0))
        assert gate.entered.wait(10)
        socket.send(_infer(id=1))
        until(lambda: bool(worker._ahead))
        for number in range(2, 41):
            socket.send(_infer(id=number))
        answers = [wire.parse_answer(socket.recv()) for _ in range(31)]

        assert all(isinstance(answer, wire.Busy) and answer.retry_after_ms > 0 for answer in answers)
        gate.open.set()
        rest = [wire.parse_answer(socket.recv()) for _ in range(10)]
        assert sorted(answer.id for answer in rest if isinstance(answer, wire.Result)) == list(range(10))


def test_a_client_that_floods_a_small_worker_gets_every_answer(bind: str) -> None:
    engine = StubEngine(delay_s=0.002)
    with running_worker(engine, bind=bind, max_queue=3, max_batch=2), client_of(bind, slots=16, attempts=1) as client:
        client.served()
        futures = [client.infer(InferRequest((number,))) for number in range(60)]

        assert [future.result(60).text for future in futures] == [{"harmful": n / 100} for n in range(60)]


def test_a_deadline_that_passes_in_the_queue_is_no_attempt(bind: str, gate: _Gate) -> None:
    engine = StubEngine(before=gate)
    with running_worker(engine, bind=bind), client_of(bind, attempts=1, deadline_s=0.05) as client:
        client.served()
        first = client.infer(InferRequest((10,)))
        assert gate.entered.wait(10)
        second = client.infer(InferRequest((20,)))
        until(lambda: client._link._outbox.next_s() not in (None, 0.0))

        gate.open.set()

        assert (first.result(10).text, second.result(10).text) == ({"harmful": 0.1}, {"harmful": 0.2})


def test_a_failing_modality_fails_alone_and_the_other_is_scored(bind: str) -> None:
    engine = StubEngine()
    with running_worker(engine, bind=bind), client_of(bind, attempts=2) as client:
        client.served()
        with client.slot() as slot:
            slot.frames[:] = 51
            result = client.infer(InferRequest((FAILING_ID,), slot)).result(10)

    assert result.codes == {"text": "inference.failed"}
    assert result.text is None
    assert result.video == pytest.approx({"harmful": 0.2})
    assert sum(engine.batches) == 2


def test_scores_that_are_no_probabilities_are_a_failure(bind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = InferResult("v", text={"harmful": float("nan")})
    monkeypatch.setattr(StubEngine, "_one", lambda _engine, _job: broken)
    with running_worker(StubEngine(), bind=bind), client_of(bind) as client:
        client.served()

        assert isinstance(client.infer(InferRequest((1,))).exception(10), InferenceFailed)


def test_after_a_swap_new_inputs_are_scored_and_old_ones_are_stale(bind: str) -> None:
    other = replace(FAKE_SERVED, model_version="text:2|video:2|fusion:-", clip=ClipSpec(4, 16, Resize.CROP))
    with running_worker(StubEngine(), bind=bind) as worker, client_of(bind) as client:
        client.served()
        with client.slot() as old:
            worker.swap(StubEngine(other))
            until(lambda: client.served() == other)

            assert isinstance(client.infer(InferRequest((1,), old)).exception(10), InferenceStale)
        with client.slot() as new:
            new.frames[:] = 255
            result = client.infer(InferRequest((1,), new)).result(10)

        assert (result.model_version, result.video) == (other.model_version, {"harmful": 1.0})
        assert not (DIRECTORY / str(old.shm_name)).exists()


def test_requests_in_the_queue_are_stale_after_a_swap(bind: str, gate: _Gate) -> None:
    other = replace(FAKE_SERVED, model_version="text:2|video:2|fusion:-", max_tokens=32)
    with running_worker(StubEngine(before=gate), bind=bind) as worker, client_of(bind) as client:
        client.served()
        first = client.infer(InferRequest((1,)))
        assert gate.entered.wait(10)
        second = client.infer(InferRequest((2,)))
        until(lambda: worker.numbers()["queue_requests"] == 1)
        worker.swap(StubEngine(other))
        gate.open.set()

        assert first.result(10).model_version == FAKE_SERVED.model_version
        assert isinstance(second.exception(10), InferenceStale)


def test_a_worker_that_cannot_read_shared_memory_gets_the_clip_as_a_frame(
    bind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(worker_module, "ArenaReader", lambda: ArenaReader(tmp_path))
    with running_worker(StubEngine(), bind=bind), client_of(bind, attempts=1) as client:
        client.served()
        with client.slot() as slot:
            slot.frames[:] = 51
            assert client.infer(InferRequest(None, slot)).result(10).video == pytest.approx({"harmful": 0.2})


def test_slots_without_room_in_shared_memory_travel_as_frames(bind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.slots.Arena", lambda spec, slots: Arena(spec, slots, directory=Path("/nonexistent")))
    with running_worker(StubEngine(), bind=bind), client_of(bind, attempts=1) as client:
        client.served()
        with client.slot() as slot:
            assert slot.shm_name is None
            slot.frames[:] = 51
            assert client.infer(InferRequest(None, slot)).result(10).video == pytest.approx({"harmful": 0.2})


def test_a_batch_that_does_not_end_is_answered_and_ends_the_worker(
    bind: str, gate: _Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "STALL_S", 0.2)
    monkeypatch.setattr(worker_module, "_STOP_S", 0.1)
    with raw_dealer(bind) as socket, running_worker(StubEngine(before=gate), bind=bind, ends_with=WorkerStalledError):
        socket.send(_infer())
        answer = wire.parse_answer(socket.recv())

    assert isinstance(answer, wire.Error)
    assert answer.code == "inference.failed"


def test_a_sick_engine_ends_the_worker_and_the_next_one_answers(bind: str) -> None:
    def sick(_jobs: Sequence[Job]) -> None:
        raise EngineSickError("the device is gone")

    with client_of(bind, attempts=1) as client:
        with running_worker(StubEngine(before=sick), bind=bind, ends_with=EngineSickError):
            client.served()
            future = client.infer(InferRequest((5,)))
        with running_worker(StubEngine(), bind=bind):
            assert future.result(20).text == {"harmful": 0.05}


def test_a_second_worker_on_the_same_path_is_refused(bind: str) -> None:
    with running_worker(StubEngine(), bind=bind), pytest.raises(ConfigError, match="another worker serves"):
        Worker(StubEngine(), settings=ServingSettings(bind=bind), clock=SystemClock(), health=Health())


@pytest.mark.parametrize(
    "wrong", ["ipc:///nonexistent/worker.sock", "tcp://256.1.1.1:1", "udp://x", f"ipc:///tmp/{'x' * 200}"]
)
def test_an_endpoint_that_cannot_be_bound_is_a_configuration_error(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"serving\.bind"):
        Worker(StubEngine(), settings=ServingSettings(bind=wrong), clock=SystemClock(), health=Health())


def test_requests_of_a_client_that_is_gone_are_not_computed(
    bind: str, gate: _Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.serving.desk.CLIENT_LOST_S", 0.3)
    engine = StubEngine(before=gate)
    with running_worker(engine, bind=bind) as worker:
        with raw_dealer(bind) as socket:
            for number in range(4):
                socket.send(_infer(id=number, token_ids=(1,) * (1 if number == 0 else 20)))
            assert gate.entered.wait(10)
            until(lambda: worker.numbers()["queue_requests"] == 3)
        until(lambda: worker.numbers()["queue_requests"] == 0)
        gate.open.set()

    assert engine.batches == [1]


def test_live_posts_go_before_background_ones(bind: str, gate: _Gate) -> None:
    order: list[int] = []

    def note(jobs: Sequence[Job]) -> None:
        gate(jobs)
        order.extend((job.token_ids or (0,))[0] for job in jobs)

    with running_worker(StubEngine(before=note), bind=bind, max_batch=1) as worker, raw_dealer(bind) as socket:
        socket.send(_infer(id=0, token_ids=(1,)))
        assert gate.entered.wait(10)
        for number, priority in ((2, 0), (3, 0), (4, 1), (5, 1)):
            socket.send(_infer(id=number, token_ids=(number,), priority=priority))
        until(lambda: worker.numbers()["queue_requests"] == 3)
        gate.open.set()
        for _ in range(5):
            socket.recv()

    assert order == [1, 4, 5, 2, 3]
