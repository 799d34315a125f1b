"""The models in this process, behind the same port as the worker: for `clipwarden score` and benches."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InferenceError
from core.settings import ServingSettings
from models.client import ClipSlot, InferRequest, InferResult
from models.serving.batcher import text_bucket, text_buckets
from models.serving.job import FrameClip, Job
from models.serving.load import load_engine
from models.spec import ServedModels


@dataclass(frozen=True)
class PrivateSlot:
    """A clip in this process's memory."""

    frames: NDArray[np.uint8]
    shm_name: str | None = None
    offset_bytes: int = 0


class LocalClient:
    """Scores one request at a time, on the calling thread."""

    def __init__(self, settings: ServingSettings) -> None:
        self._engine = load_engine(settings)
        self._buckets = text_buckets(self._engine.served.max_tokens)
        self._lock = threading.Lock()

    def served(self) -> ServedModels:
        """What was loaded."""
        return self._engine.served

    @contextmanager
    def slot(self) -> Iterator[ClipSlot]:
        """A clip of its own for each caller."""
        yield PrivateSlot(np.empty(self.served().clip.shape, np.uint8))

    def infer(self, request: InferRequest) -> "Future[InferResult]":
        """The answer, already there."""
        future: Future[InferResult] = Future()
        clip = FrameClip(request.slot.frames.data.cast("B")) if request.slot is not None else None
        ids = request.token_ids
        job = Job(ids, clip, text_bucket(len(ids or ()), self._buckets))
        try:
            with self._lock:
                future.set_result(self._engine.score([job])[0])
        except InferenceError as error:
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Nothing to let go of."""
