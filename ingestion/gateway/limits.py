"""How much one API key, and all of them, may ask at once and per minute; beyond it the answer is 429, at once."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.clock import Clock
from core.settings_gateway import GatewaySettings
from ingestion.gateway.refusals import RequestsTooMany

_BUSY_S = 1.0


@dataclass
class _Bucket:
    """What a key may still ask; it fills with time, up to a tenth of a minute's worth."""

    tokens: float
    at_s: float


class Limits:
    """Counts for one process; safe to share between threads."""

    def __init__(self, settings: GatewaySettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._per_s = settings.key_requests_per_min / 60
        self._burst = max(1.0, settings.key_requests_per_min / 10)
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}
        self._uploads: Counter[str] = Counter()
        self._streams: Counter[str] = Counter()

    def take(self, key_id: str) -> None:
        """Count one request.

        Raises:
            RequestsTooMany: the key is over its rate.
        """
        with self._lock:
            now_s = self._clock.monotonic_s()
            bucket = self._buckets.setdefault(key_id, _Bucket(self._burst, now_s))
            bucket.tokens = min(self._burst, bucket.tokens + (now_s - bucket.at_s) * self._per_s)
            bucket.at_s = now_s
            if bucket.tokens < 1:
                wait_s = (1 - bucket.tokens) / self._per_s
                raise RequestsTooMany(f"over {self._settings.key_requests_per_min} requests a minute", wait_s)
            bucket.tokens -= 1

    @contextmanager
    def upload(self, key_id: str) -> Iterator[None]:
        """Hold a place for an upload.

        Raises:
            RequestsTooMany: the key, or the gateway, has as many as it may.
        """
        with self._held(self._uploads, key_id, per_key=self._settings.key_uploads, total=self._settings.max_uploads):
            yield

    @contextmanager
    def stream(self, key_id: str) -> Iterator[None]:
        """Hold a place for a stream of events.

        Raises:
            RequestsTooMany: the key has as many as it may.
        """
        with self._held(self._streams, key_id, per_key=self._settings.key_streams, total=None):
            yield

    @property
    def uploads(self) -> int:
        """How many are under way."""
        with self._lock:
            return self._uploads.total()

    @contextmanager
    def _held(self, held: Counter[str], key_id: str, *, per_key: int, total: int | None) -> Iterator[None]:
        with self._lock:
            if held[key_id] >= per_key:
                raise RequestsTooMany(f"{per_key} of these run for this API key already", _BUSY_S)
            if total is not None and held.total() >= total:
                raise RequestsTooMany(f"{total} uploads run already", _BUSY_S)
            held[key_id] += 1
        try:
            yield
        finally:
            with self._lock:
                held[key_id] -= 1
