"""One client floods, another asks now and then: the flood waits behind itself."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from models import wire
from models.client import InferRequest
from models.serving.job import Job
from tests.fixtures.inference import StubEngine, client_of, raw_dealer, running_worker, until

pytestmark = pytest.mark.integration


def _infer(number: int) -> bytes:
    return wire.Infer(id=number, inputs_id="", priority=1, deadline_ms=600_000, token_ids=(1,)).to_bytes()


def test_a_client_that_asks_seldom_is_answered_while_another_floods(tmp_path: Path) -> None:
    bind = f"ipc://{tmp_path}/worker.sock"
    order: list[int] = []
    is_open = threading.Event()

    def note(jobs: Sequence[Job]) -> None:
        assert is_open.wait(30)
        order.extend((job.token_ids or (0,))[0] for job in jobs)

    with (
        running_worker(StubEngine(before=note), bind=bind, max_batch=4) as worker,
        raw_dealer(bind) as flood,
        client_of(bind) as seldom,
    ):
        for number in range(400):
            flood.send(_infer(number))
        # One batch is being computed; the next may be handed over already.
        until(lambda: worker.numbers()["queue_requests"] in (392, 396))
        seldom.served()
        asked = seldom.infer(InferRequest((50,)))
        until(lambda: worker.numbers()["queue_requests"] in (393, 397))

        is_open.set()

        assert asked.result(30).text == {"harmful": 0.5}
        assert order.index(50) < 12


def test_a_flood_that_fills_the_queue_is_told_busy_and_others_find_room(tmp_path: Path) -> None:
    bind = f"ipc://{tmp_path}/worker.sock"
    entered, is_open = threading.Event(), threading.Event()

    def wait(_jobs: Sequence[Job]) -> None:
        entered.set()
        assert is_open.wait(30)

    engine = StubEngine(before=wait)
    with (
        running_worker(engine, bind=bind, max_queue=8) as worker,
        raw_dealer(bind) as flood,
        raw_dealer(bind) as other,
    ):
        flood.send(_infer(0))
        assert entered.wait(10)
        for number in range(1, 9):
            flood.send(_infer(number))
        until(lambda: worker.numbers()["queue_requests"] == 8)

        for number in range(3):
            other.send(_infer(number))
        displaced = [wire.parse_answer(flood.recv()) for _ in range(3)]

        assert [(type(answer), answer.id) for answer in displaced] == [(wire.Busy, 8), (wire.Busy, 7), (wire.Busy, 6)]
        is_open.set()
        answers = [wire.parse_answer(other.recv()) for _ in range(3)]
        assert all(isinstance(answer, wire.Result) for answer in answers)
