"""The live view and the channels in Redis: the last stop of a verdict before the screens."""

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import redis
import structlog
from pydantic import TypeAdapter, ValidationError
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.errors import CacheUnavailable
from core.events import Verdict
from core.settings import RedisSettings
from core.storage import keys
from core.storage.beats import Silent
from core.storage.live_rules import SAMPLES, Seen, for_view, in_order, is_flagged, recent_seconds, samples
from core.storage.ports import Beats, Heartbeat, LiveSnapshot

CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 5.0
RECONNECT_S = 0.5
POLL_S = 0.5

# In one step, because shares and a rebuild write at the same time: an older verdict never replaces a newer one, and
# what falls out of both sets takes its body along. All expire together, the mark of a built view too: what silence
# ended is built again. It publishes as well, so that each body travels and is packed once. `marks` holds `v` for the
# view, `f` for flagged, `p` for published.
_PUT = """
local live, flagged, bodies = KEYS[1], KEYS[2], KEYS[3]
local size, ttl_s, verdicts, alerts = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local function show(id, at, is_flagged, body)
    local known = redis.call('ZSCORE', live, id) or redis.call('ZSCORE', flagged, id)
    if known and tonumber(known) > tonumber(at) then return end
    redis.call('ZADD', live, at, id)
    redis.call('HSET', bodies, id, body)
    if is_flagged then redis.call('ZADD', flagged, at, id) else redis.call('ZREM', flagged, id) end
end
for i = 5, #ARGV, 4 do
    local id, at, marks, body = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    local is_flagged = string.find(marks, 'f')
    if string.find(marks, 'v') then show(id, at, is_flagged, body) end
    if string.find(marks, 'p') then
        redis.call('PUBLISH', verdicts, body)
        if is_flagged then redis.call('PUBLISH', alerts, body) end
    end
end
for _, sets in ipairs({{live, flagged}, {flagged, live}}) do
    for _, gone in ipairs(redis.call('ZRANGE', sets[1], 0, -size - 1)) do
        redis.call('ZREM', sets[1], gone)
        if not redis.call('ZSCORE', sets[2], gone) then redis.call('HDEL', bodies, gone) end
    end
end
for _, key in ipairs(KEYS) do
    redis.call('EXPIRE', key, ttl_s)
end
"""
_PUT_KEYS = (keys.LIVE, keys.LIVE_FLAGGED, keys.LIVE_VERDICTS, keys.BUILT)

_heartbeat = TypeAdapter(Heartbeat)
_log = structlog.get_logger()


class RedisLive:
    """The live view in one Redis (or Valkey). Connects at the first call and again by itself; safe between threads.

    Args:
        settings: where it is and how much the view holds.
        heartbeat_ttl_s: after how long a silent process disappears.
    """

    def __init__(self, settings: RedisSettings, *, heartbeat_ttl_s: int = 10) -> None:
        self._size = settings.live_size
        self._ttl_s = settings.live_ttl_s
        self._heartbeat_ttl_s = heartbeat_ttl_s
        self._closed = threading.Event()
        self._known: Mapping[str, Verdict] = {}
        self._redis = redis.Redis.from_url(
            settings.url.get_secret_value(),
            decode_responses=True,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=ANSWER_TIMEOUT_S,
            health_check_interval=15,
            # Waiting and trying again is the caller's; a subscription that reconnects unseen would lose messages.
            retry=Retry(NoBackoff(), 0),
        )

    def publish(self, verdicts: Sequence[Verdict], *, current: frozenset[str], now: datetime) -> None:
        """Put current verdicts into the view and every verdict on the channels, in one round trip.

        Raises:
            CacheUnavailable: some or none of it happened; publish the same again.
        """
        if not verdicts:
            return
        shown = for_view(verdicts, current=current)
        with self._available(), self._redis.pipeline(transaction=False) as pipeline:
            self._put(pipeline, verdicts, shown=shown, marks="p", now=now)
            taken = [f"{at.timestamp()} {seconds}" for at, seconds in samples(verdicts, current=current, now=now)]
            if taken:
                pipeline.lpush(keys.POSTED_TO_ALERT, *taken)
                pipeline.ltrim(keys.POSTED_TO_ALERT, 0, SAMPLES - 1)
            pipeline.execute()

    def count(self, counts: Mapping[str, int], now: datetime) -> None:
        """Replace the counters."""
        with self._available(), self._redis.pipeline(transaction=True) as pipeline:
            pipeline.delete(keys.COUNTS)
            fields: dict[Any, Any] = {**counts, "counted_at": now.isoformat()}
            pipeline.hset(keys.COUNTS, mapping=fields)
            pipeline.execute()

    def is_empty(self) -> bool:
        """Whether the view was never built or lost its data; publishing alone does not count as building."""
        with self._available():
            return not self._redis.exists(keys.BUILT)

    def rebuild(self, verdicts: Sequence[Verdict], now: datetime) -> None:
        """Fill the view without touching the channels; newer verdicts in it stay."""
        chosen = for_view(verdicts, current=frozenset(v.video_id for v in verdicts))
        with self._available(), self._redis.pipeline(transaction=False) as pipeline:
            self._put(pipeline, chosen, shown=chosen, marks="", now=now)
            pipeline.set(keys.BUILT, now.isoformat(), ex=self._ttl_s)
            pipeline.execute()

    def snapshot(self) -> LiveSnapshot:
        """What a screen shows, in two round trips."""
        with self._available():
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.zrevrange(keys.LIVE, 0, self._size - 1)
                pipeline.zrevrange(keys.LIVE_FLAGGED, 0, self._size - 1)
                pipeline.zrange(keys.HEARTBEATS, 0, -1)
                pipeline.hgetall(keys.COUNTS)
                pipeline.lrange(keys.POSTED_TO_ALERT, 0, -1)
                pipeline.get(keys.UPDATED_AT)
                live, flagged, beating, counters, kept, updated = pipeline.execute()
            bodies, beats = self._bodies(list(dict.fromkeys([*live, *flagged])), beating)
        counted = counters.pop("counted_at", None)
        updated_at = datetime.fromisoformat(updated) if updated else None
        return LiveSnapshot(
            verdicts=tuple(in_order(self._read(bodies))),
            counts={name: int(count) for name, count in counters.items()},
            counted_at=datetime.fromisoformat(counted) if counted else None,
            posted_to_alert_s=recent_seconds(map(_sample, reversed(kept)), updated_at),
            heartbeats=tuple(_heartbeat.validate_json(body) for body in beats if body),
            updated_at=updated_at,
        )

    def follow(self, *, alerts_only: bool = True) -> Iterator[Verdict]:
        """First the view's verdicts (oldest first), then what is published, each verdict_id and outcome once.

        Waits for Redis when it is away, and then reads the view again. Ends when the view is closed.
        """
        seen = Seen(4 * self._size)
        while not self._closed.is_set():
            try:
                with closing(
                    self._until_disconnected(keys.ALERTS_CHANNEL if alerts_only else keys.VERDICTS_CHANNEL)
                ) as told:
                    yield from (v for v in told if (is_flagged(v) or not alerts_only) and seen.is_new(v))
            except CacheUnavailable as error:
                _log.warning("live.lost", code=error.code, reason=error.message)
                self._closed.wait(RECONNECT_S)

    def forget(self, video_id: str) -> None:
        """Take a video out of the view, in one step."""
        with self._available(), self._redis.pipeline(transaction=True) as pipeline:
            pipeline.zrem(keys.LIVE, video_id)
            pipeline.zrem(keys.LIVE_FLAGGED, video_id)
            pipeline.hdel(keys.LIVE_VERDICTS, video_id)
            pipeline.execute()

    def beat(self, heartbeat: Heartbeat) -> None:
        """Note a sign of life; it runs out by itself."""
        name = keys.heartbeat(heartbeat.kind, heartbeat.instance)
        at = heartbeat.at.timestamp()
        with self._available(), self._redis.pipeline(transaction=False) as pipeline:
            pipeline.set(name, _heartbeat.dump_json(heartbeat), ex=self._heartbeat_ttl_s)
            pipeline.zadd(keys.HEARTBEATS, {name: at})
            pipeline.zremrangebyscore(keys.HEARTBEATS, "-inf", at - 86_400)
            pipeline.execute()

    def beats(self) -> Beats:
        """Who gives signs of life, and who gave them within the last day; in two round trips."""
        with self._available(), self._redis.pipeline(transaction=False) as pipeline:
            pipeline.zrange(keys.HEARTBEATS, 0, -1, withscores=True)
            (known,) = pipeline.execute()
            _, bodies = self._bodies([], [name for name, _ in known])
        seen = list(zip(known, bodies, strict=True))
        return Beats(
            alive=tuple(_heartbeat.validate_json(body) for _, body in seen if body),
            silent=tuple(_silent(name, at_s) for (name, at_s), body in seen if not body),
        )

    def ping(self) -> None:
        """Raise CacheUnavailable when Redis does not answer."""
        with self._available():
            self._redis.ping()

    def close(self) -> None:
        """Let go of the connections and end every `follow`."""
        self._closed.set()
        # A follower's own connection is not pulled from under it: it lets go at its next look at the event.
        self._redis.connection_pool.disconnect(inuse_connections=False)

    def _put(
        self,
        pipeline: Any,  # noqa: ANN401 - see redis-py
        verdicts: Sequence[Verdict],
        *,
        shown: Sequence[Verdict],
        marks: str,
        now: datetime,
    ) -> None:
        arguments: list[Any] = [self._size, self._ttl_s, keys.VERDICTS_CHANNEL, keys.ALERTS_CHANNEL]
        in_view = set(map(id, shown))
        for verdict in verdicts:
            at, does = verdict.event_time.timestamp(), "v" * (id(verdict) in in_view) + "f" * is_flagged(verdict)
            arguments += (verdict.video_id, at, does + marks, verdict.as_json)
        pipeline.eval(_PUT, len(_PUT_KEYS), *_PUT_KEYS, *arguments)
        if shown:
            pipeline.set(keys.UPDATED_AT, now.isoformat())

    def _bodies(self, video_ids: Sequence[str], beating: Sequence[str]) -> tuple[list[str | None], list[str | None]]:
        """What is there of these verdicts and heartbeats."""
        with self._redis.pipeline(transaction=False) as pipeline:
            if video_ids:
                pipeline.hmget(keys.LIVE_VERDICTS, video_ids)
            if beating:
                pipeline.mget(beating)
            found = iter(pipeline.execute())
        return next(found) if video_ids else [], next(found) if beating else []

    def _read(self, bodies: Sequence[str | None]) -> Iterable[Verdict]:
        """The verdicts; most are those of the last look, and not parsed again."""
        self._known = read = _verdicts(bodies, self._known)
        return read.values()

    def _until_disconnected(self, channel: str) -> Generator[Verdict]:
        with self._available(), self._redis.pubsub() as pubsub:  # type: ignore[no-untyped-call]  # see redis-py
            pubsub.subscribe(channel)
            # The snapshot is read on another connection: only a confirmed subscription has no gap to it.
            while pubsub.get_message(timeout=ANSWER_TIMEOUT_S) is None:
                if self._closed.is_set():
                    return
            yield from reversed(self.snapshot().verdicts)
            while not self._closed.is_set():
                message = pubsub.get_message(timeout=POLL_S)
                if message is not None and message["type"] == "message":
                    yield from _verdicts([message["data"]]).values()

    @contextmanager
    def _available(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            raise CacheUnavailable(str(error) or type(error).__name__) from error


def _silent(name: str, at_s: float) -> Silent:
    kind, _, instance = name.removeprefix(keys.heartbeat("", "").removesuffix(":")).partition(":")
    return Silent(kind, instance, datetime.fromtimestamp(at_s, UTC))


def _sample(text: str) -> tuple[datetime, float]:
    at, seconds = text.split()
    return datetime.fromtimestamp(float(at), UTC), float(seconds)


def _verdicts(bodies: Sequence[str | None], known: Mapping[str, Verdict] = MappingProxyType({})) -> dict[str, Verdict]:
    """The bodies that are there with what they say, without those another version wrote and this one cannot read."""
    read: dict[str, Verdict] = {}
    for body in filter(None, bodies):
        try:
            read[body] = known.get(body) or Verdict.model_validate_json(body)
        except ValidationError as error:
            _log.warning("live.unreadable", reason=str(error.errors()[0]["msg"]))
    return read
