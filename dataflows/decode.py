"""Object → clip: fetched to a scratch file, decoded in the cage straight into the slot the worker reads."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from core.errors import MediaMismatch
from core.events import VideoPosted
from core.media.cage import Cage
from core.media.protocol import ClipTarget, DecodedClip, Sampling
from core.settings import DecodeSettings
from core.storage.ports import MediaStore
from core.telemetry import CLIPS_DECODED, DECODE_S
from dataflows.wait import Patience
from models.client import ClipSlot
from models.spec import ClipSpec


@dataclass(frozen=True)
class Clip:
    """A decoded clip that lies in its slot.

    Attributes:
        times_s: when each frame is shown.
        sampling: how its frames were chosen.
    """

    times_s: tuple[float, ...]
    duration_s: float
    sampling: Sampling
    media_sha256: str
    fetch_ms: float
    decode_ms: float


class Decoder:
    """Fetches and decodes; waits while the object store is away."""

    def __init__(self, media: MediaStore, cage: Cage, *, settings: DecodeSettings, patience: Patience) -> None:
        self._media = media
        self._cage = cage
        self._settings = settings
        self._patience = patience

    def decode(self, event: VideoPosted, spec: ClipSpec, *, slot: ClipSlot, sampling: Sampling = Sampling.EVEN) -> Clip:
        """Fill the slot with the event's clip, sampled so where the container allows it.

        Raises:
            MediaError: the video modality is missing, with the error's code.
            StoppingError: the process stops while the object store is away.
        """
        bucket, key = event.media or ("", "")
        target = ClipTarget(spec.num_frames, spec.size_px, spec.resize.value, sampling)
        with tempfile.TemporaryDirectory(prefix="clipwarden-") as scratch:
            path = Path(scratch) / "media"
            started = time.perf_counter()
            sha256 = self._patience.until_done(
                "objects", lambda: self._media.fetch(bucket, key, path, max_bytes=self._settings.max_bytes)
            )
            if event.sha256 not in (None, sha256):
                raise MediaMismatch(f"the object's sha256 is {sha256}, the event states {event.sha256}")
            fetched = time.perf_counter()
            decoded = self._patience.until_done("decoders", lambda: self._fill(path, target, slot))
        done = time.perf_counter()
        DECODE_S.observe(done - started)
        CLIPS_DECODED.labels(decoded.sampling.value).inc()
        return Clip(
            times_s=decoded.times_s,
            duration_s=decoded.probe.duration_s,
            sampling=decoded.sampling,
            media_sha256=sha256,
            fetch_ms=(fetched - started) * 1e3,
            decode_ms=(done - fetched) * 1e3,
        )

    def _fill(self, path: Path, target: ClipTarget, slot: ClipSlot) -> DecodedClip:
        if slot.shm_name is None:
            return self._cage.decode_into(path, target, slot.frames)
        return self._cage.decode(
            path, target, shm_name=slot.shm_name, offset_bytes=slot.offset_bytes, nbytes=slot.frames.nbytes
        )
