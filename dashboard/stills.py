"""Verdict → a blurred still of its worst moment: fetched, decoded in the cage, blurred, kept for the next who asks."""

import math
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np

from core.clock import Clock
from core.errors import MediaCrashed, MediaError, MediaMissing, MediaTimeout, MediaTooLarge, MediaUndecodable
from core.events import Verdict
from core.media.cage import Cage
from core.media.protocol import ClipTarget, Sampling
from core.settings import Settings
from core.storage.ports import MediaStore
from dashboard.blur import blurred_jpeg
from dashboard.charts import worst_segment
from dashboard.data.media import media_place
from dashboard.data.wellness import Veil

FRAMES = 8
FRAME_PX = 192
CHILDREN = 2
KEPT_BYTES = 32 * 1024 * 1024
NOTHING = b"-"
RETRY_S = 60.0
"""A video that is not there, or took its decoder too long or down with it, is tried again after so long."""


class Stills:
    """Makes stills, two at a time, and keeps the last ones in memory: of a video that is forgotten, no file stays.

    That a video can never be decoded is kept like a still; what may have been chance is tried again after RETRY_S.

    Safe to share between threads. Children of its own decode: the console never waits for a flow, nor a flow for it.
    """

    def __init__(self, media: MediaStore, settings: Settings, clock: Clock) -> None:
        decode = settings.decode.model_copy(update={"children": CHILDREN, "min_distinct_frames": 1})
        self._cage = Cage(decode)
        self._media = media
        self._max_bytes = decode.max_bytes
        self._buckets = frozenset({settings.media.bucket, *settings.media.allowed_buckets})
        self._free = threading.BoundedSemaphore(CHILDREN)
        self._kept = KeptBytes(KEPT_BYTES, clock)

    def still(self, verdict: Verdict, veil: Veil) -> bytes:
        """A small JPEG.

        Raises:
            MediaError: there is no video, or nothing of it can be shown now.
            ObjectsUnavailable: the object store does not answer.
        """
        name = (verdict.media_uri or "", verdict.media_sha256 or "", _worst_s(verdict), veil)
        kept = self._kept.get(name)
        if kept is None:
            with self._free:
                kept = self._kept.get(name)
                if kept is None:
                    body, keeps_s = self._make_or_nothing(verdict, veil)
                    kept = self._kept.put(name, body, keeps_s=keeps_s)
        if kept == NOTHING:
            raise MediaMissing("nothing of this video can be shown")
        return kept

    def close(self) -> None:
        """End the decoders."""
        self._cage.close()

    def _make_or_nothing(self, verdict: Verdict, veil: Veil) -> tuple[bytes, float]:
        # These bytes will never be a picture; whether they are there in a while, or decoded in time, nobody knows.
        try:
            return self._make(verdict, veil), math.inf
        except (MediaTimeout, MediaCrashed, MediaMissing):
            return NOTHING, RETRY_S
        except MediaError:
            return NOTHING, math.inf

    def _make(self, verdict: Verdict, veil: Veil) -> bytes:
        bucket, key = media_place(verdict.media_uri, self._buckets)
        if (self._media.size_bytes(bucket, key) or 0) > self._max_bytes:
            raise MediaTooLarge(f"over {self._max_bytes} bytes")
        with tempfile.TemporaryDirectory(prefix="clipwarden-still-") as folder:
            path = Path(folder, "video")
            self._media.fetch(bucket, key, path, max_bytes=self._max_bytes)
            return self._from_file(path, _worst_s(verdict), veil)

    def _from_file(self, path: Path, worst_s: float, veil: Veil) -> bytes:
        # The nearest of a few frames: under this blur nobody could tell it from the exact one.
        target = ClipTarget(FRAMES, FRAME_PX, sampling=Sampling.NEAR_KEYS, deblock=False)
        frames = np.empty(target.shape, np.uint8)
        clip = self._cage.decode_into(path, target, frames)
        if not clip.times_s:
            raise MediaUndecodable("no frame could be decoded")
        nearest = min(range(len(clip.times_s)), key=lambda place: abs(clip.times_s[place] - worst_s))
        width_px, height_px = clip.probe.width_px, clip.probe.height_px
        if clip.probe.rotation % 180:
            width_px, height_px = height_px, width_px
        return blurred_jpeg(frames[nearest], width_px=width_px, height_px=height_px, veil=veil)


class KeptBytes:
    """The last used, as many as fit; safe to share between threads."""

    def __init__(self, max_bytes: int, clock: Clock) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._bytes = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], tuple[bytes, float]] = OrderedDict()

    def get(self, name: tuple[object, ...]) -> bytes | None:
        """What is kept under this name."""
        with self._lock:
            body, until_s = self._kept.get(name, (None, math.inf))
            if body is None or self._clock.monotonic_s() >= until_s:
                return None
            self._kept.move_to_end(name)
            return body

    def put(self, name: tuple[object, ...], body: bytes, *, keeps_s: float = math.inf) -> bytes:
        """Keep it for so long, and let go of what was not used for longest."""
        with self._lock:
            self._bytes += len(body) - len(self._kept.pop(name, (b"", 0.0))[0])
            self._kept[name] = body, self._clock.monotonic_s() + keeps_s
            while self._bytes > self._max_bytes:
                self._bytes -= len(self._kept.popitem(last=False)[1][0])
        return body


def _worst_s(verdict: Verdict) -> float:
    worst = worst_segment(verdict.segments)
    middle_s = (worst.start_s + worst.end_s) / 2 if worst else 0.0
    return middle_s if math.isfinite(middle_s) else 0.0
