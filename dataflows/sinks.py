"""The flow's one sink: outcomes → the writer."""

from collections.abc import Callable

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from dataflows.write import Outcome, WriteQueue


class _WriterPartition(StatefulSinkPartition[Outcome, None]):
    def __init__(self, queue: WriteQueue, on_close: Callable[[], None]) -> None:
        self._queue = queue
        self._on_close = on_close

    def write_batch(self, values: list[Outcome]) -> None:
        self._queue.put(values)

    def snapshot(self) -> None:
        return

    def close(self) -> None:
        try:
            self._queue.drain()
        finally:
            self._on_close()


class WriterSink(FixedPartitionedSink[Outcome, None]):
    """Unit of parallelism: one partition per process, so that writes keep their order.

    Guarantee: at-least-once into idempotent writes. It hands over and returns: what counts as done is what the writer
    took off the shared tracker, and both the source's snapshot and the group's offsets name nothing else. Still a
    FixedPartitionedSink, because its close, which waits for the last write, belongs to the flow's end.
    """

    def __init__(self, queue: WriteQueue, *, on_close: Callable[[], None]) -> None:
        self._queue = queue
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
        return _WriterPartition(self._queue, self._on_close)
