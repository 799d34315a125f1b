"""The worker's front desk: checks what clients send, queues it, and words the answers. Pure but for reading arenas."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from core.telemetry import WORKER_CLIENTS, WORKER_DROPPED, WORKER_QUEUE, WORKER_REQUESTS
from models import wire
from models.arena import ArenaReader, ArenaUnreadableError
from models.client import InferResult
from models.serving.batcher import Batcher, Entry, Key, text_bucket, text_buckets
from models.serving.job import Engine, FrameClip, Job, SlotClip
from models.spec import ServedModels
from models.wire import ErrorCode

CLIENT_LOST_S = 10.0
_HINT_MS = (20, 2_000)

_log = structlog.get_logger()

Outgoing = tuple[bytes, wire.Message]


@dataclass
class _Client:
    heard_s: float
    held: set[int] = field(default_factory=set)


class _RefusedError(Exception):
    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class Desk:
    """Owned by the worker's I/O thread.

    Args:
        engine: what it says of itself decides what is accepted; requests are not computed here.
        batcher: where accepted requests wait.
        generation: names this process.
    """

    def __init__(self, engine: Engine, batcher: Batcher[Job], *, reader: ArenaReader, generation: str) -> None:
        self._batcher = batcher
        self._reader = reader
        self._generation = generation
        self._clients: dict[bytes, _Client] = {}
        self._job_s = 0.05
        self._engine = engine
        self.is_draining = False

    @property
    def _served(self) -> ServedModels:
        return self._engine.served

    def serve(self, engine: Engine) -> list[Outgoing]:
        """Accept for this engine from now on; answers what was queued for other inputs."""
        before, self._engine = self._engine, engine
        if before.served.inputs_id == engine.served.inputs_id:
            return []
        return self.stale(self._batcher.drop(lambda _entry: True))

    def stale(self, jobs: Iterable[Job]) -> list[Outgoing]:
        """Answers of jobs that were prepared for other models."""
        return [self._error(job, ErrorCode.STALE, "the models were swapped") for job in jobs]

    def receive(self, client: bytes, header: bytes, clip: memoryview | None, *, now_s: float) -> list[Outgoing]:
        """One message of a client; what is to be said at once."""
        try:
            request = wire.parse_request(header)
        except wire.WireError as error:
            WORKER_DROPPED.labels("malformed").inc()
            _log.warning("worker.malformed", error=str(error), size_bytes=len(header))
            return [(client, message) for message in _refused(error.request_id, str(error))]
        known = self._clients.setdefault(client, _Client(now_s))
        known.heard_s = now_s
        match request:
            case wire.Hello():
                return [(client, wire.Welcome(generation=self._generation, served=self._served))]
            case wire.Ping():
                return [(client, self._pong(request.number, known.held))]
            case wire.Infer():
                return self._accept(client, request, clip, now_s)

    def take(self, now_s: float) -> list[Job]:
        """The batch to compute now; empty when none is due."""
        return self._batcher.next(now_s, flush=self.is_draining)

    def take_full(self, now_s: float) -> list[Job] | None:
        """The same, if waiting longer would change nothing about it; None while no batch is full."""
        return self._batcher.next_full(now_s)

    def due_s(self) -> float | None:
        """When `take` has something; None when nothing waits."""
        return self._batcher.due_s()

    def finish(self, jobs: Sequence[Job], results: Sequence[InferResult], took_s: float) -> Iterator[Outgoing]:
        """The answers of a computed batch."""
        self._job_s += 0.2 * (took_s / len(jobs) - self._job_s)
        for job, result in zip(jobs, results, strict=True):
            yield self._answer(job, result)

    def fail(self, jobs: Iterable[Job], message: str) -> list[Outgoing]:
        """Answers of jobs that did not end in time."""
        return [self._error(job, ErrorCode.FAILED, message) for job in jobs]

    def tidy(self, now_s: float) -> list[Outgoing]:
        """Say Busy for requests past their deadline; forget clients that are gone, with their requests."""
        for client in [name for name, known in self._clients.items() if now_s - known.heard_s > CLIENT_LOST_S]:
            del self._clients[client]
        WORKER_CLIENTS.set(len(self._clients))
        WORKER_QUEUE.set(len(self._batcher))
        gone = self._batcher.drop(lambda entry: entry.item.client not in self._clients)
        WORKER_DROPPED.labels("client_lost").inc(len(gone))
        # Waiting in the queue is no fault of the request: it is sent again and counts no attempt.
        return self._busy(self._batcher.drop(lambda entry: entry.expires_s <= now_s))

    def give_back(self) -> list[Outgoing]:
        """Say Busy for all that waits."""
        return self._busy(self._batcher.drop(lambda _entry: True))

    def __len__(self) -> int:
        return len(self._batcher)

    @property
    def clients(self) -> int:
        """Clients heard of late."""
        return len(self._clients)

    def _pong(self, number: int, held: set[int]) -> wire.Pong:
        return wire.Pong(
            number=number,
            generation=self._generation,
            model_version=self._served.model_version,
            held=tuple(held),
            others=sum(len(known.held) for known in self._clients.values()) - len(held),
            is_draining=self.is_draining,
        )

    def _accept(self, client: bytes, infer: wire.Infer, clip: memoryview | None, now_s: float) -> list[Outgoing]:
        try:
            job = self._checked(client, infer, clip)
        except _RefusedError as error:
            WORKER_REQUESTS.labels(error.code.removeprefix("inference.")).inc()
            return [(client, wire.Error(id=infer.id, code=error.code, message=str(error)))]
        if self.is_draining:
            return self._busy([job])
        key = Key(job.tokens, job.clip is not None, infer.is_alone)
        entry = Entry(job, key, infer.priority, now_s, now_s + infer.deadline_ms / 1e3, client)
        self._clients[client].held.add(infer.id)
        out = self._batcher.offer(entry)
        return self._busy([out.item]) if out is not None else []

    def _checked(self, client: bytes, infer: wire.Infer, clip: memoryview | None) -> Job:
        if infer.id in self._clients[client].held:
            raise _RefusedError(ErrorCode.REFUSED, "the id is in use")
        if infer.inputs_id not in ("", self._served.inputs_id):
            raise _RefusedError(ErrorCode.STALE, "prepared for other models")
        source = self._clip_source(infer, clip)
        if infer.token_ids is None and source is None:
            raise _RefusedError(ErrorCode.REFUSED, "neither caption nor clip")
        self._check_ids(infer.token_ids)
        tokens = text_bucket(len(infer.token_ids or ()), text_buckets(self._served.max_tokens))
        return Job(infer.token_ids, source, tokens, client, infer.id, infer.sample)

    def _check_ids(self, ids: tuple[int, ...] | None) -> None:
        if ids is None:
            return
        if not 0 < len(ids) <= self._served.max_tokens:
            raise _RefusedError(ErrorCode.REFUSED, f"{len(ids)} token ids, allowed are 1 to {self._served.max_tokens}")
        if max(ids) >= self._engine.vocabulary:
            raise _RefusedError(ErrorCode.REFUSED, f"token id {max(ids)} is outside the vocabulary")

    def _clip_source(self, infer: wire.Infer, clip: memoryview | None) -> SlotClip | FrameClip | None:
        size_bytes = self._served.clip.clip_bytes
        if infer.has_frame != (clip is not None) or (infer.has_frame and infer.slot is not None):
            raise _RefusedError(ErrorCode.REFUSED, "the clip is neither in a slot nor in one frame")
        if clip is not None:
            if clip.nbytes != size_bytes:
                raise _RefusedError(ErrorCode.REFUSED, f"a clip has {size_bytes} bytes, not {clip.nbytes}")
            return FrameClip(clip)
        if infer.slot is None:
            return None
        try:
            self._reader.check(infer.slot.arena, infer.slot.offset_bytes, size_bytes)
        except ArenaUnreadableError as error:
            raise _RefusedError(ErrorCode.ARENA, str(error)) from error
        return SlotClip(self._reader, infer.slot.arena, infer.slot.offset_bytes)

    def _answer(self, job: Job, result: InferResult) -> Outgoing:
        if result.text is None and result.video is None:
            codes = sorted(set(result.codes.values())) or [ErrorCode.FAILED.value]
            return self._error(job, ErrorCode(codes[0]), "no modality could be scored")
        try:
            answer = wire.Result.of(job.id, result)
        except ValueError as error:
            return self._error(job, ErrorCode.FAILED, f"the scores are no probabilities: {error}"[:500])
        self._release(job)
        WORKER_REQUESTS.labels("partial" if result.codes else "scored").inc()
        return job.client, answer

    def _error(self, job: Job, code: ErrorCode, message: str) -> Outgoing:
        self._release(job)
        WORKER_REQUESTS.labels(code.removeprefix("inference.")).inc()
        return job.client, wire.Error(id=job.id, code=code, message=message)

    def _busy(self, jobs: Iterable[Job]) -> list[Outgoing]:
        outgoing: list[Outgoing] = []
        for job in jobs:
            self._release(job)
            WORKER_REQUESTS.labels("busy").inc()
            outgoing.append((job.client, wire.Busy(id=job.id, retry_after_ms=self._hint_ms())))
        return outgoing

    def _release(self, job: Job) -> None:
        if job.client in self._clients:
            self._clients[job.client].held.discard(job.id)

    def _hint_ms(self) -> int:
        low_ms, high_ms = _HINT_MS
        return int(min(max(self._job_s * len(self._batcher) * 500, low_ms), high_ms))


def _refused(request_id: int | None, message: str) -> list[wire.Message]:
    if request_id is None:
        return []
    return [wire.Error(id=request_id, code=ErrorCode.REFUSED, message=message)]
