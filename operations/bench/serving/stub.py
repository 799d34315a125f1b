"""The engine of `bench serving`: copies its clips into one batch, as a device wants them, then computes for 4 ms."""

import time
from collections.abc import Sequence

import numpy as np

from core.media.protocol import Resize
from models.client import InferResult
from models.serving.job import Job
from models.spec import ClipSpec, ServedModels

BATCH_S = 0.004
MAX_BATCH = 16
MAX_WAIT_MS = 2.0
CLIP = ClipSpec(num_frames=16, size_px=224, resize=Resize.STRETCH)
_LABELS = ("harmful", "violence")
_SERVED = ServedModels(
    model_version="text:-|video:stub|fusion:-",
    clip=CLIP,
    max_tokens=64,
    tokenizer_json=b"",
    labels={"text": (), "video": _LABELS, "fusion": ()},
    fusion_passed_gate=False,
)


class StubEngine:
    """Stands for a device: what is left of a request is what the serving costs."""

    def __init__(self) -> None:
        self._batch = np.zeros((MAX_BATCH, *CLIP.shape), np.uint8)

    @property
    def served(self) -> ServedModels:
        """A video model alone."""
        return _SERVED

    @property
    def vocabulary(self) -> int:
        """No captions."""
        return 0

    @property
    def max_clips(self) -> int:
        """A whole batch."""
        return MAX_BATCH

    @property
    def problem(self) -> str:
        """None."""
        return ""

    def score(self, jobs: Sequence[Job]) -> list[InferResult]:
        """The same scores for everyone, with one per frame, as models give them."""
        for row, job in enumerate(jobs):
            if job.clip is not None:
                job.clip.read_into(self._batch[row].data.cast("B"))
        time.sleep(BATCH_S)
        video = dict.fromkeys(_LABELS, 0.25)
        frames = (0.25,) * CLIP.num_frames
        return [InferResult(_SERVED.model_version, video=video, frame_scores=frames) for _ in jobs]
