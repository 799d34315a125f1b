"""The in-flight step: ordered, bounded by its source, drained at the end."""

from concurrent.futures import Future, ThreadPoolExecutor
from random import Random
from time import sleep

import bytewax.operators as op
import pytest
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource, run_main

from dataflows.steps import InFlightLogic, in_flight
from dataflows.wait import StoppingError


def test_answers_leave_in_order_per_key_whatever_order_they_come_in() -> None:
    pool = ThreadPoolExecutor(8)
    random = Random(7)

    def slowly(item: int) -> int:
        sleep(random.random() / 200)
        return item

    out: list[tuple[str, int]] = []
    flow = Dataflow("test")
    items = op.input("read", flow, TestingSource([(str(number % 3), number) for number in range(90)], batch_size=10))
    op.output("write", in_flight("work", items, lambda item: pool.submit(slowly, item)), TestingSink(out))
    run_main(flow)

    assert len(out) == 90
    for key in "012":
        mine = [number for at, number in out if at == key]
        assert mine == sorted(mine)


def test_a_ready_answer_waits_behind_the_head() -> None:
    head: Future[str] = Future()
    logic = InFlightLogic(lambda item: head if item == "slow" else item)

    assert logic.on_batch(["slow", "fast"]) == ([], False)
    head.set_result("done")
    assert logic.on_notify() == (["done", "fast"], False)
    assert logic.notify_at() is None


def test_what_a_stop_interrupted_is_not_emitted() -> None:
    stopped: Future[str] = Future()
    stopped.set_exception(StoppingError("redis"))
    logic = InFlightLogic(lambda item: stopped if item == "held" else item)

    assert logic.on_batch(["a", "held", "b"]) == (["a"], False)
    assert logic.on_eof() == ([], True)


def test_a_defect_of_ours_ends_the_flow() -> None:
    broken: Future[str] = Future()
    broken.set_exception(ZeroDivisionError())
    logic = InFlightLogic(lambda _item: broken)

    with pytest.raises(ZeroDivisionError):
        logic.on_batch(["x"])
