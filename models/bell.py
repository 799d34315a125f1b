"""Tells every worker at once that a champion or challenger changed; what the bell misses, the next poll finds."""

import time
from contextlib import suppress
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.errors import CacheUnavailable
from core.settings import RedisSettings
from core.storage import keys

_TIMEOUT_S = 2.0
_RECONNECT_S = 1.0


def ring(settings: RedisSettings, name: str) -> int:
    """Tell the workers that listen; returns how many did.

    Raises:
        CacheUnavailable: Redis does not answer.
    """
    try:
        with _connect(settings) as client:
            return int(client.publish(keys.MODELS_CHANNEL, name))
    except redis.RedisError as error:
        raise CacheUnavailable(str(error) or type(error).__name__) from error


class Bell:
    """Listens; used from one thread. Redis may be away, now or later."""

    def __init__(self, settings: RedisSettings) -> None:
        self._client = _connect(settings)
        self._pubsub: Any = None

    def wait(self, timeout_s: float) -> bool:
        """Sleep until it rings or the time is up; also true when it may have rung unheard."""
        try:
            if self._pubsub is None:
                self._pubsub = self._client.pubsub()  # type: ignore[no-untyped-call]  # see redis-py
                self._pubsub.subscribe(keys.MODELS_CHANNEL)
            message = self._pubsub.get_message(timeout=timeout_s)
        except redis.RedisError:
            self._drop()
            time.sleep(min(timeout_s, _RECONNECT_S))
            return False
        return message is not None

    def close(self) -> None:
        """Let go of the connection."""
        self._drop()
        self._client.close()

    def _drop(self) -> None:
        if self._pubsub is not None:
            with suppress(redis.RedisError):
                self._pubsub.close()
            self._pubsub = None


def _connect(settings: RedisSettings) -> "redis.Redis":
    return redis.Redis.from_url(
        settings.url.get_secret_value(),
        socket_connect_timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
