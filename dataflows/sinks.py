"""The flow's one sink: outcomes → the writer."""

from collections.abc import Callable

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from dataflows.write import Outcome, Writer


class _WriterPartition(StatefulSinkPartition[Outcome, None]):
    def __init__(self, writer: Writer, on_close: Callable[[], None]) -> None:
        self._writer = writer
        self._on_close = on_close

    def write_batch(self, values: list[Outcome]) -> None:
        self._writer.write(values)

    def snapshot(self) -> None:
        return

    def close(self) -> None:
        self._on_close()


class WriterSink(FixedPartitionedSink[Outcome, None]):
    """Unit of parallelism: one partition per process, so that writes keep their order.

    Guarantee: at-least-once into idempotent writes. A FixedPartitionedSink, because a DynamicSink is not waited for
    when an epoch is committed.
    """

    def __init__(self, writer: Writer, *, on_close: Callable[[], None]) -> None:
        self._writer = writer
        self._on_close = on_close

    def list_parts(self) -> list[str]:
        """The one partition."""
        return ["writer"]

    def part_fn(self, item_key: str) -> int:
        """Every key goes to it."""
        del item_key
        return 0

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _WriterPartition:
        """The partition, without state of its own."""
        del step_id, for_part, resume_state
        return _WriterPartition(self._writer, self._on_close)
