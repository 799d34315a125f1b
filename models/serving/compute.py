"""The worker's other thread: takes batches in order, computes, hands back; the loop puts in and takes out."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.clock import Clock
from models.client import InferResult
from models.serving.job import Engine, Job


@dataclass(frozen=True)
class Done:
    """A computed batch."""

    jobs: list[Job]
    results: list[InferResult]
    took_s: float


class Compute:
    """One thread.

    Args:
        clock: of how long a batch took.
        wake: called from the thread after each batch.
    """

    def __init__(self, clock: Clock, wake: Callable[[], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._work: queue.SimpleQueue[tuple[Engine, list[Job]] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Done | BaseException] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="compute", daemon=True)

    def start(self) -> None:
        """Take batches from now on."""
        self._thread.start()

    def put(self, engine: Engine, jobs: list[Job]) -> None:
        """Compute this after what was put before."""
        self._work.put((engine, jobs))

    def done(self) -> Iterator[Done | BaseException]:
        """What has ended since the last look, in order: a batch, or what its engine raised."""
        while not self._done.empty():
            yield self._done.get_nowait()

    def stop(self, timeout_s: float) -> bool:
        """End after what was put; False when it did not in time."""
        self._work.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            engine, jobs = work
            started_s = self._clock.monotonic_s()
            try:
                results = engine.score(jobs)
            except BaseException as error:  # noqa: BLE001 - the thread's outermost frame: `done` hands it over
                self._done.put(error)
            else:
                self._done.put(Done(jobs, results, self._clock.monotonic_s() - started_s))
            self._wake()
