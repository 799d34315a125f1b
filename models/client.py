"""The port to the inference worker: one request per post, whatever the transport. No torch here."""

from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.labels import Modality
from models.spec import ServedModels


class ClipSlot(Protocol):
    """A place for one clip that the worker can read; borrowed until the answer came."""

    @property
    def shm_name(self) -> str | None:
        """The block in /dev/shm a decoder child may write into; None where there is no room for shared memory."""
        ...

    @property
    def offset_bytes(self) -> int:
        """Where in the block the slot begins."""
        ...

    @property
    def frames(self) -> NDArray[np.uint8]:
        """The slot as an array: (T, H, W, 3) uint8 RGB."""
        ...


class Priority(IntEnum):
    """Who goes first when the worker is busy; nobody waits for ever."""

    BACKGROUND = 0
    LIVE = 1


@dataclass(frozen=True)
class Sample:
    """Asks that challengers score a post too, once it is answered.

    Attributes:
        caption: as it was posted: a challenger may read it with another tokenizer.
    """

    video_id: str
    event_time: datetime
    caption: str | None = None


@dataclass(frozen=True)
class Shadow:
    """What the models served, and one challenger, said of a sampled post; probabilities per label.

    Attributes:
        model_version: of the answer that the champion's scores are a part of.
        challenger: its version, e.g. `text:4`.
    """

    video_id: str
    event_time: datetime
    modality: Modality
    model_version: str
    challenger: str
    champion_scores: dict[str, float]
    challenger_scores: dict[str, float]


@dataclass(frozen=True)
class InferRequest:
    """One post's inputs; at least one of the two is there.

    Attributes:
        token_ids: the caption, tokenised with the served tokenizer and cut to max_tokens; never empty.
        slot: a filled clip.
        inputs_id: ServedModels.inputs_id of the models the inputs were prepared for; empty means those served now.
        sample: of a post that challengers score in shadow; its answer is the same, and waits for none of them.
    """

    token_ids: tuple[int, ...] | None = None
    slot: ClipSlot | None = None
    inputs_id: str = ""
    priority: Priority = Priority.LIVE
    sample: Sample | None = None


@dataclass(frozen=True)
class InferResult:
    """Probabilities per label and modality; None where a modality was absent, with a code where it failed.

    Attributes:
        token_scores: per token id in [0, 1], how much it speaks for harm.
        frame_scores: per frame in [0, 1].
        codes: modality → error code, for inputs the worker refused or failed on.
    """

    model_version: str
    text: dict[str, float] | None = None
    video: dict[str, float] | None = None
    fusion: dict[str, float] | None = None
    token_scores: tuple[float, ...] | None = None
    frame_scores: tuple[float, ...] | None = None
    codes: dict[str, str] = field(default_factory=dict)


class InferenceClient(Protocol):
    """Scores posts; waits without limit while no worker answers."""

    def served(self) -> ServedModels:
        """What the worker serves now; waits until a worker answers, then costs nothing until it swaps models."""
        ...

    def slot(self) -> AbstractContextManager[ClipSlot]:
        """Borrow a free slot; waits for one. Give it back only after the answer."""
        ...

    def infer(self, request: InferRequest) -> "Future[InferResult]":
        """Send one post.

        The future raises InferenceRefused or InferenceFailed when a live worker could not score it, and InferenceStale
        when the worker has swapped its models since the inputs were prepared; while no worker answers, or it says BUSY,
        it waits and sends again. After `close` it raises InferenceUnavailable.
        """
        ...

    def close(self) -> None:
        """Let go of sockets and shared memory."""
        ...
