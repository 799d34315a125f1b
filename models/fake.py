"""A client without a worker: scores by arithmetic, for tests of what stands before it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from core.errors import InferenceError, InferenceRefused, InferenceStale, InferenceUnavailable
from core.media.protocol import Resize
from models.arena import Slot
from models.client import InferRequest, InferResult
from models.slots import SlotPool
from models.spec import ClipSpec, ServedModels

ScoreFunction = Callable[[ServedModels, tuple[int, ...] | None, NDArray[np.uint8] | None], InferResult]

_WORD_LEVEL = (
    b'{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":{"type":"Lowercase"},'
    b'"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,"model":{"type":"WordLevel",'
    b'"vocab":{"[UNK]":0,"good":1,"fine":2,"day":3,"kill":90,"hate":95,"idiot":98,"stupid":99},"unk_token":"[UNK]"}}'
)

FAKE_SERVED = ServedModels(
    model_version="text:fake|video:fake|fusion:fake",
    clip=ClipSpec(num_frames=8, size_px=32, resize=Resize.STRETCH),
    max_tokens=64,
    tokenizer_json=_WORD_LEVEL,
    labels={"text": ("harmful",), "video": ("harmful",), "fusion": ("harmful",)},
    fusion_passed_gate=True,
)
"""A word-level tokenizer whose ids are how harmful a word is, in percent."""


def fake_scores(
    served: ServedModels, token_ids: tuple[int, ...] | None, frames: NDArray[np.uint8] | None
) -> InferResult:
    """Text is as harmful as its largest id in percent, a clip as bright as its brightest frame, fusion their mean."""
    tokens = tuple(min(number, 100) / 100 for number in token_ids) if token_ids is not None else None
    moments = tuple(float(value) for value in frames.mean(axis=(1, 2, 3)) / 255) if frames is not None else None
    text = max(tokens) if tokens is not None else None
    video = max(moments) if moments is not None else None
    both = (text + video) / 2 if text is not None and video is not None else None
    return InferResult(
        model_version=served.model_version,
        text=_per_label(served, "text", text),
        video=_per_label(served, "video", video),
        fusion=_per_label(served, "fusion", both),
        token_scores=tokens,
        frame_scores=moments,
    )


def _per_label(served: ServedModels, modality: str, score: float | None) -> dict[str, float] | None:
    return None if score is None else dict.fromkeys(served.labels[modality], score)


class FakeClient:
    """An InferenceClient that answers at once, or when a test lets it.

    Args:
        served: what it says it serves.
        slots: how many clips may be borrowed.
        score: computes a result, or raises an InferenceError.
    """

    def __init__(
        self, served: ServedModels = FAKE_SERVED, *, slots: int = 4, score: ScoreFunction = fake_scores
    ) -> None:
        self.requests: list[InferRequest] = []
        self._score = score
        self._pool = SlotPool(slots)
        self._pool.serve(served)
        self._lock = threading.Lock()
        self._is_paused = self._is_closed = False
        self._held: list[tuple[InferRequest, Future[InferResult]]] = []

    def served(self) -> ServedModels:
        """What it was told to serve."""
        return self._pool.served()

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """Borrow a free slot in shared memory; waits for one."""
        slot = self._pool.borrow()
        try:
            yield slot
        finally:
            self._pool.give_back(slot)

    def infer(self, request: InferRequest) -> "Future[InferResult]":
        """Score one post; while paused, its future waits."""
        future: Future[InferResult] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            self.requests.append(request)
            if self._is_paused and not self._is_closed:
                self._held.append((request, future))
                return future
        self._answer(request, future)
        return future

    def pause(self) -> None:
        """Behave as if no worker answered."""
        with self._lock:
            self._is_paused = True

    def resume(self) -> None:
        """Answer what waits, and from now on at once."""
        with self._lock:
            self._is_paused = False
            held, self._held = self._held, []
        for request, future in held:
            self._answer(request, future)

    def swap(self, served: ServedModels) -> None:
        """Serve something else."""
        self._pool.serve(served)

    def close(self) -> None:
        """Let go of shared memory; what waits raises InferenceUnavailable."""
        with self._lock:
            self._is_closed = True
        self.resume()
        self._pool.close()

    def _answer(self, request: InferRequest, future: "Future[InferResult]") -> None:
        try:
            result = self._scored(request)
        except (InferenceError, InferenceUnavailable) as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    def _scored(self, request: InferRequest) -> InferResult:
        if self._is_closed:
            raise InferenceUnavailable("the client is closed")
        served = self._pool.served()
        if request.inputs_id not in ("", served.inputs_id):
            raise InferenceStale("prepared for other models")
        if request.token_ids is None and request.slot is None:
            raise InferenceRefused("neither caption nor clip")
        if request.token_ids is not None and not 0 < len(request.token_ids) <= served.max_tokens:
            raise InferenceRefused(f"{len(request.token_ids)} token ids")
        frames = request.slot.frames if request.slot is not None else None
        if frames is not None and frames.shape != served.clip.shape:
            raise InferenceStale("the worker takes other clips now")
        return self._score(served, request.token_ids, frames)
