"""When a broker's report on a record proves that the record is on its topic: asked by everything that produces."""

from typing import Protocol


class Fault(Protocol):
    """What the broker says is wrong."""

    def str(self) -> str:
        """In words."""


class Report(Protocol):
    """The record a report is about, with its place."""

    def offset(self) -> int | None:
        """Where it lies in its partition, if that is known."""


def no_proof(error: Fault | None, report: Report) -> str | None:
    """Why this report is no proof of delivery; None: it is one.

    A client counts a record as delivered when the broker answers that it has one of that sequence number already. A
    broker that was killed between noting the number and keeping the record says so too, of a record that it lost; then
    nobody can say where the record lies. To send it again costs a repeat at worst, which every reader expects.
    """
    if error is not None:
        return error.str()
    return "the broker has seen it and cannot say where it lies" if report.offset() is None else None
