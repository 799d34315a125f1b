"""The live view on Redis alone: away and back, what other versions wrote, and how long it lasts."""

from collections.abc import Callable

import pytest
import redis

from core.errors import CacheUnavailable
from core.settings import RedisSettings
from core.storage import keys
from core.storage.live import RedisLive
from tests.fixtures.live import Follower, publish
from tests.fixtures.stores import NOON, Line, eventually, make_alert, make_verdict


@pytest.fixture
def redis_line(redis_settings: RedisSettings, line: Callable[[str, int], Line]) -> tuple[Line, RedisSettings]:
    address = redis.connection.parse_url(redis_settings.url.get_secret_value())  # type: ignore[no-untyped-call]
    laid = line(address["host"], address["port"])
    url = redis_settings.url.get_secret_value().replace(f":{address['port']}/", f":{laid.port}/")
    return laid, RedisSettings(url=url, live_size=10)


def test_redis_away_is_cache_unavailable_and_comes_back(redis_line: tuple[Line, RedisSettings]) -> None:
    laid, settings = redis_line
    live = RedisLive(settings)
    live.ping()

    laid.cut()
    for call in (live.ping, live.is_empty, live.snapshot, lambda: publish(live, make_alert())):
        with pytest.raises(CacheUnavailable):
            call()
    laid.restore()

    publish(live, make_alert())
    assert len(live.snapshot().verdicts) == 1
    live.close()


def test_following_survives_a_restart_and_catches_up(
    redis_line: tuple[Line, RedisSettings], redis_settings: RedisSettings
) -> None:
    laid, settings = redis_line
    live, writer = RedisLive(settings), RedisLive(redis_settings)
    follower = Follower(live)
    publish(writer, make_alert("v:1"))
    follower.wait_for("v:1")

    laid.cut()
    publish(writer, make_alert("v:meanwhile", minute=1))
    laid.restore()
    follower.wait_for("v:meanwhile")
    publish(writer, make_alert("v:2", minute=2))

    follower.wait_for("v:2")
    assert follower.seen == ["v:1", "v:meanwhile", "v:2"]
    live.close()
    writer.close()


def test_what_another_version_wrote_is_left_out(redis_settings: RedisSettings) -> None:
    live = RedisLive(redis_settings)
    publish(live, make_alert("v:1"), make_alert("v:2", minute=1))
    with redis.Redis.from_url(redis_settings.url.get_secret_value()) as client:
        client.hset(keys.LIVE_VERDICTS, "v:1", '{"schema": "video.verdicts.v9"}')

    assert [v.video_id for v in live.snapshot().verdicts] == ["v:2"]
    live.close()


def test_a_publish_prolongs_the_view_as_a_whole(redis_settings: RedisSettings) -> None:
    live = RedisLive(redis_settings)
    live.rebuild([make_alert()], NOON)
    whole = (keys.LIVE, keys.LIVE_FLAGGED, keys.LIVE_VERDICTS, keys.BUILT)

    with redis.Redis.from_url(redis_settings.url.get_secret_value()) as client:
        assert all(client.expire(key, 5) for key in whole)
        publish(live, make_verdict("v:2"))
        assert min(client.ttl(key) for key in whole) > 5
    live.close()


def test_a_view_that_silence_ended_is_empty(redis_settings: RedisSettings) -> None:
    live = RedisLive(redis_settings.model_copy(update={"live_ttl_s": 1}))
    live.rebuild([make_alert()], NOON)

    eventually(live.is_empty)
    assert live.snapshot().verdicts == ()
    live.close()
