"""What travels inside the worker: a checked request on its way to the engine. No torch here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from models.arena import ArenaReader
from models.client import InferResult
from models.spec import ServedModels
from models.wire import SampleRef


class ClipSource(Protocol):
    """Where a clip's bytes are until its batch is computed."""

    def read_into(self, out: memoryview) -> None:
        """Copy the whole clip.

        Raises:
            ValueError: it is gone or was cut.
        """
        ...


@dataclass(frozen=True)
class SlotClip:
    """A clip in a client's shared memory."""

    reader: ArenaReader
    arena: str
    offset_bytes: int

    def read_into(self, out: memoryview) -> None:
        """Copy the whole clip; see ArenaReader."""
        self.reader.read_into(self.arena, self.offset_bytes, out)


@dataclass(frozen=True)
class FrameClip:
    """A clip that came as bytes."""

    body: memoryview

    def read_into(self, out: memoryview) -> None:
        """Copy the whole clip."""
        out[:] = self.body


@dataclass(frozen=True)
class Job:
    """One request: `tokens` is the bucket its ids are padded to; challengers score it too when it is a `sample`."""

    token_ids: tuple[int, ...] | None = None
    clip: ClipSource | None = field(default=None, repr=False)
    tokens: int = 0
    client: bytes = b""
    id: int = 0
    sample: SampleRef | None = None


class Engine(Protocol):
    """Computes batches; used from one thread at a time."""

    @property
    def served(self) -> ServedModels:
        """What it serves; never changes."""
        ...

    @property
    def vocabulary(self) -> int:
        """Token ids are below it; on a GPU one that is not would spoil the whole process."""
        ...

    @property
    def max_clips(self) -> int:
        """More clips in one batch gain nothing on this device."""
        ...

    @property
    def problem(self) -> str:
        """Why it computes slower than its device could; empty when it does not."""
        ...

    def score(self, jobs: Sequence[Job]) -> list[InferResult]:
        """One result per job, in order; a modality that failed has its code, and never takes others with it.

        Raises:
            EngineSickError: even known inputs no longer give what they should: the process must be replaced.
        """
        ...


class EngineSickError(Exception):
    """The device or the networks are broken, not the input."""
