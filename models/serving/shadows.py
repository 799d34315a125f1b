"""The challengers beside the worker's loop: sampled posts go to them after their answers, scores come back later."""

import queue
from collections.abc import Iterator, Sequence

from core.labels import Modality
from core.telemetry import SHADOW_SCORES
from models import wire
from models.client import InferResult
from models.serving.challenger import Ask, Challenger
from models.serving.job import ClipSource, FrameClip, Job
from models.spec import ClipSpec


class Shadows:
    """Used from the worker's I/O thread, except `serve` and `tell`. Nothing here waits, and nothing raises."""

    def __init__(self) -> None:
        self._challengers: Sequence[Challenger] = ()
        self._held: dict[int, bytes | memoryview] = {}
        self._told: queue.SimpleQueue[tuple[bytes, wire.Shadowed]] = queue.SimpleQueue()

    def serve(self, challengers: Sequence[Challenger]) -> None:
        """Ask these from now on; from any thread."""
        self._challengers = tuple(challengers)

    def tell(self, client: bytes, shadowed: wire.Shadowed) -> None:
        """Take a score; from any thread."""
        self._told.put((client, shadowed))

    def hold(self, jobs: Sequence[Job], clip: ClipSpec) -> None:
        """Copy the clips that challengers will read: with its answer a client takes its slot back.

        To be called while the batch is computed, so that no answer waits for the copy.
        """
        self._held.clear()
        sampled = [job for job in jobs if job.sample is not None and job.clip is not None]
        if sampled:
            readers = [one for one in self._challengers if _reads_clips(one) and one.takes(clip)]
            for job in sampled[: max((one.room for one in readers), default=0)]:
                self._hold(job, clip.clip_bytes)

    def offer(self, jobs: Sequence[Job], results: Sequence[InferResult]) -> None:
        """Hand over sampled posts that were answered; a modality that was not scored is not compared."""
        for job, result in zip(jobs, results, strict=True):
            if job.sample is not None:
                for challenger in self._challengers:
                    self._offer(challenger, job, job.sample, result)
        self._held.clear()

    def answers(self) -> Iterator[tuple[bytes, wire.Message]]:
        """What challengers have said since the last look."""
        while not self._told.empty():
            yield self._told.get_nowait()

    def _hold(self, job: Job, size_bytes: int) -> None:
        try:
            self._held[id(job)] = _copied(job.clip, size_bytes)
        except ValueError:
            # The client is gone; so is whoever would want the score.
            return

    def _offer(self, challenger: Challenger, job: Job, sample: wire.SampleRef, result: InferResult) -> None:
        champion = getattr(result, challenger.modality)
        if champion is None:
            return
        clip = self._held.get(id(job)) if _reads_clips(challenger) else None
        if _reads_clips(challenger) and clip is None:
            SHADOW_SCORES.labels("dropped").inc()
            return
        challenger.offer(Ask(job.client, sample, result.model_version, champion, clip))


def _reads_clips(challenger: Challenger) -> bool:
    return challenger.modality is not Modality.TEXT


def _copied(clip: ClipSource | None, size_bytes: int) -> bytes | memoryview:
    if isinstance(clip, FrameClip):
        return clip.body
    copy = bytearray(size_bytes)
    if clip is not None:
        clip.read_into(memoryview(copy))
    return memoryview(copy)
