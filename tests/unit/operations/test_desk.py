"""Where commands are executed: whatever a command does to its executor, it is answered, and the next one is taken."""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import cast

import pytest

from core.errors import StoreUnavailable
from core.storage.commands import Commands
from core.storage.orders import PROCESS_KINDS, CommandKind, OfProcess, Order
from operations.desk import Desk, Say
from tests.fixtures.stores import eventually


class Drawer:
    """A table of commands that holds what it was given; each claim that breaks breaks once."""

    def __init__(self, *names: str, broken: Exception | None = None) -> None:
        self.orders = [
            Order(command_id=name, kind=CommandKind.RESTART, arguments=OfProcess(process=name)) for name in names
        ]
        self.broken = broken
        self.answers: dict[str, tuple[bool, str]] = {}

    def claim(self, owner: str, kinds: AbstractSet[CommandKind]) -> Order | None:
        error, self.broken = self.broken, None
        if error is not None:
            raise error
        return self.orders.pop(0) if self.orders else None

    def answer(self, command_id: str, owner: str, *, ok: bool, text: str) -> bool:
        self.answers[command_id] = (ok, text)
        return True


@pytest.fixture
def at_work() -> Iterator[Callable[[Drawer], Desk]]:
    desks: list[Desk] = []

    def start(drawer: Drawer) -> Desk:
        desks.append(Desk(cast("Commands", drawer), hand, kinds=PROCESS_KINDS, poll_s=0.01))
        desks[-1].start()
        return desks[-1]

    yield start
    for desk in desks:
        desk.stop()


def hand(order: Order, say: Say) -> str:
    if order.command_id == "broken":
        raise KeyError("no such field")
    return "done"


def test_a_hand_that_breaks_is_answered_for_and_the_next_command_is_done(at_work: Callable[[Drawer], Desk]) -> None:
    drawer = Drawer("broken", "worker")
    at_work(drawer)

    eventually(lambda: len(drawer.answers) == 2)

    ok, text = drawer.answers["broken"]
    assert not ok
    assert "KeyError" in text
    assert drawer.answers["worker"] == (True, "done")


@pytest.mark.parametrize("broken", [RuntimeError("a column that is not there"), StoreUnavailable("refused")])
def test_a_look_that_breaks_is_not_the_last(at_work: Callable[[Drawer], Desk], broken: Exception) -> None:
    drawer = Drawer("worker", broken=broken)
    at_work(drawer)

    eventually(lambda: drawer.answers)

    assert drawer.answers["worker"] == (True, "done")
