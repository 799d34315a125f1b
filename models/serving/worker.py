"""The worker's loop: one thread owns the socket and the queue, one other computes.

clients ⇄ ROUTER ─ Desk (check, queue) ─ batch ─▶ compute thread ─ results ─▶ Desk ─ answers ⇄ clients
"""

import contextlib
import os
import queue
from collections.abc import Iterable
from math import ceil

import structlog

from core.clock import Clock
from core.health import Health
from core.settings import ServingSettings
from core.telemetry import INFER_BATCH_SIZE, MODEL_SWAPS, WORKER_COMPUTE_S, WORKER_DROPPED
from models.arena import ArenaReader
from models.serving.batcher import Batcher, Key
from models.serving.compute import Compute, Done
from models.serving.desk import Desk, Outgoing
from models.serving.door import Door
from models.serving.job import Engine, EngineSickError, Job
from models.serving.shadows import Shadows
from models.spec import ServedModels

STALL_S = 120.0
DRAIN_S = 25.0
_TIDY_S = 0.25
_SWEEP_S = 2.0
_STOP_S = 5.0
_BURST = 64
_LARGER_CLIP_BYTES = 16_000_000
_PROVEN_REQUESTS = 1_000
"""After so many answers an engine that breaks is not at fault: the device is."""

_log = structlog.get_logger()


class WorkerStalledError(Exception):
    """A batch did not end; only a new process helps."""


class Worker:
    """Answers clients until it has drained.

    Guarantee: an accepted request is answered, or the process dies and its client sends it again.

    Args:
        engine: computes; replaced by `swap`.
        settings: where to bind, and the sizes of batch and queue.
        clock: of deadlines.
        health: told when it is ready, drains or stalls.
        shadows: challengers that score what is sampled, after its answer.

    Raises:
        ConfigError: the endpoint is taken or wrong, or leaves loopback without keys.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        settings: ServingSettings,
        clock: Clock,
        health: Health,
        shadows: Shadows | None = None,
    ) -> None:
        self._shadows = shadows or Shadows()
        self._clock = clock
        self._health = health
        self._max_batch = settings.max_batch
        # The next model may take larger clips; the door stays as it is.
        self._door = Door(settings, clip_bytes=max(engine.served.clip.clip_bytes, _LARGER_CLIP_BYTES), clock=clock)
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._reader = ArenaReader()
        batcher: Batcher[Job] = Batcher(
            limit=self._limit, max_wait_s=settings.max_wait_ms / 1e3, max_queue=settings.max_queue
        )
        self._engine = engine
        self._next_engine: Engine | None = None
        self._before: Engine | None = None
        self._scored_since_swap = 0
        self.given_up: queue.SimpleQueue[Engine] = queue.SimpleQueue()
        self._desk = Desk(engine, batcher, reader=self._reader, generation=os.urandom(8).hex())
        self._compute = Compute(clock, self._wake)
        self._computing: list[Job] = []
        self._ahead: list[Job] = []
        self._has_looked = False
        self._started_s = self._tidied_s = self._swept_s = clock.monotonic_s()
        self._drain_by_s: float | None = None
        self._should_drain = False
        self._scored = self._batches = 0
        self._busy_s = 0.0

    @property
    def endpoint(self) -> str:
        """Where it listens, with the port the system chose."""
        return self._door.endpoint

    def drain(self) -> None:
        """Accept no more, answer what was accepted, then let `run` return; from any thread or signal handler."""
        self._should_drain = True
        self._wake()

    @property
    def served(self) -> ServedModels:
        """What it serves now."""
        return self._engine.served

    @property
    def problem(self) -> str:
        """Why what it serves computes slower than it could; empty when it does not."""
        return self._engine.problem

    def swap(self, engine: Engine) -> None:
        """Serve another engine from the next batch on; from any thread.

        Should it break soon, the worker goes back to the one before by itself, and puts it into `given_up`.
        """
        self._next_engine = engine
        self._wake()

    def numbers(self) -> dict[str, float]:
        """Gauges for the heartbeat."""
        return {
            "queue_requests": float(len(self._desk)),
            "clients": float(self._desk.clients),
            "done_total": float(self._scored),
            "batches_total": float(self._batches),
            "busy_s_total": self._busy_s,
        }

    def run(self) -> None:
        """Serve until drained.

        Raises:
            WorkerStalledError: a batch did not end in time.
            EngineSickError: the engine is broken.
        """
        self._compute.start()
        self._health.set("worker", ok=True)
        try:
            while not self._is_drained():
                self._turn()
        finally:
            self._health.set("worker", ok=False, detail="stopped")
            self._stop()

    def _stop(self) -> None:
        has_ended = self._compute.stop(_STOP_S)
        self._door.close()
        if has_ended:
            self._reader.close()
            os.close(self._wake_fd)

    def _turn(self) -> None:
        self._door.wait(self._wake_fd, self._timeout_ms())
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake_fd)
        now_s = self._clock.monotonic_s()
        self._receive(now_s)
        for done in self._compute.done():
            self._collect(done, now_s)
        self._send(self._shadows.answers())
        self._tidy(now_s)
        if not self._computing:
            self._between_batches(now_s)
        if self._may_look_ahead(now_s):
            self._look_ahead(now_s)

    def _receive(self, now_s: float) -> None:
        for client, header, clip in self._door.receive(_BURST):
            self._send(self._desk.receive(client, header, clip, now_s=now_s))

    def _collect(self, done: Done | BaseException, now_s: float) -> None:
        if isinstance(done, EngineSickError) and self._before is not None:
            self._go_back(self._before, str(done))
            return
        if isinstance(done, BaseException):
            raise done
        self._scored += len(done.jobs)
        self._batches += 1
        self._busy_s += done.took_s
        self._scored_since_swap += len(done.jobs)
        if self._scored_since_swap > _PROVEN_REQUESTS:
            self._before = None
        INFER_BATCH_SIZE.observe(len(done.jobs))
        WORKER_COMPUTE_S.observe(done.took_s)
        self._send(self._desk.finish(done.jobs, done.results, done.took_s))
        self._shadows.offer(done.jobs, done.results)
        ahead, self._ahead = self._ahead, []
        self._begin(ahead, now_s)

    def _go_back(self, before: Engine, reason: str) -> None:
        """Compute the batch that broke a new engine with the one before it, and go on with that."""
        _log.error("worker.went_back", gave_up=self.served.model_version, to=before.served.model_version, reason=reason)
        MODEL_SWAPS.labels("returned").inc()
        self.given_up.put(self._engine)
        is_same_input = self.served.inputs_id == before.served.inputs_id
        self._engine, self._before = before, None
        self._send(self._desk.serve(before))
        if is_same_input:
            self._compute.put(before, self._computing)
        else:
            self._send(self._desk.stale(self._computing))
            self._computing = []

    def _tidy(self, now_s: float) -> None:
        if self._should_drain and self._drain_by_s is None:
            self._drain_by_s = now_s + DRAIN_S
            self._desk.is_draining = True
            self._health.set("worker", ok=False, detail="draining")
            _log.info("worker.draining", queue_requests=len(self._desk))
        if now_s - self._tidied_s < _TIDY_S:
            return
        self._tidied_s = now_s
        self._send(self._desk.tidy(now_s))
        if self._drain_by_s is not None and now_s > self._drain_by_s:
            self._send(self._desk.give_back())
        if self._computing and now_s - self._started_s > STALL_S:
            self._send(self._desk.fail(self._computing, f"the batch did not end in {STALL_S:.0f} s"))
            raise WorkerStalledError(f"a batch of {len(self._computing)} did not end in {STALL_S:.0f} s")

    def _between_batches(self, now_s: float) -> None:
        if self._next_engine is not None:
            self._before, self._engine, self._next_engine = self._engine, self._next_engine, None
            self._scored_since_swap = 0
            self._send(self._desk.serve(self._engine))
            _log.info("worker.swapped", model_version=self._engine.served.model_version)
        if now_s - self._swept_s > _SWEEP_S:
            # Only now: the compute thread reads from these files while it computes.
            self._swept_s = now_s
            self._reader.sweep()
        if jobs := self._desk.take(now_s):
            self._compute.put(self._engine, jobs)
            self._begin(jobs, now_s)

    def _begin(self, jobs: list[Job], now_s: float) -> None:
        """Note that the compute thread is at these now; none: it rests."""
        self._computing, self._started_s, self._has_looked = jobs, now_s, False
        if jobs:
            self._shadows.hold(jobs, self.served.clip)

    def _may_look_ahead(self, now_s: float) -> bool:
        """Not where something has to happen between two batches, nor while this engine may have to be given up."""
        needs_gap = self._next_engine is not None or self._should_drain or now_s - self._swept_s > _SWEEP_S
        return bool(self._computing) and not self._has_looked and self._before is None and not needs_gap

    def _look_ahead(self, now_s: float) -> None:
        """Hand over the next batch while one is computed, so that the compute thread need not wait for this one."""
        jobs = self._desk.take_full(now_s)
        # Once per batch: with a long queue, looking is not cheap.
        self._has_looked = jobs is not None
        if jobs:
            self._ahead = jobs
            self._compute.put(self._engine, jobs)

    def _send(self, outgoing: Iterable[Outgoing]) -> None:
        for client, message in outgoing:
            if not self._door.send(client, message.to_bytes()):
                # The client asks with its next Ping and sends the request again.
                WORKER_DROPPED.labels("unroutable").inc()

    def _timeout_ms(self) -> int:
        due_s = self._desk.due_s()
        if self._computing or due_s is None:
            return int(_TIDY_S * 1e3)
        if self._desk.is_draining:
            return 0
        return max(0, min(int(_TIDY_S * 1e3), ceil((due_s - self._clock.monotonic_s()) * 1e3)))

    def _is_drained(self) -> bool:
        return self._desk.is_draining and not self._computing and not len(self._desk)

    def _limit(self, key: Key) -> int:
        if key.is_alone:
            return 1
        return min(self._max_batch, self._engine.max_clips) if key.has_clip else self._max_batch

    def _wake(self) -> None:
        os.eventfd_write(self._wake_fd, 1)
