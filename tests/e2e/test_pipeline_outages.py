"""The Pipeline page while a store is away: the block says so, the others stay, and it comes back by itself."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from core.settings import RedisSettings
from core.storage.live import RedisLive
from core.storage.ports import Heartbeat
from tests.fixtures.browser import Screen
from tests.fixtures.platform import Platform
from tests.fixtures.stores import Line

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def over(lay: Callable[[str, int], Line], address: str) -> tuple[str, Line]:
    """The address over a line that can be cut."""
    server = urlsplit(address)
    laid = lay(server.hostname or "", server.port or 0)
    return address.replace(f":{server.port}/", f":{laid.port}/"), laid


def test_each_store_that_is_away_is_named_and_the_page_goes_on(
    platform: Platform,
    postgres_dsn: str,
    line: Callable[[str, int], Line],
    console_at: Callable[[Mapping[str, str]], str],
    screen: Screen,
) -> None:
    url = platform.settings.redis.url.get_secret_value().rpartition("/")[0] + "/7"
    live = RedisLive(RedisSettings(url=SecretStr(url)), heartbeat_ttl_s=600)
    live.beat(Heartbeat("flow", "0/1", "ready", "7+ab", datetime.now(UTC)))
    redis_url, to_redis = over(line, url)
    there = conninfo_to_dict(postgres_dsn)
    to_database = line(str(there["host"]), int(str(there["port"])))
    dsn = make_conninfo(postgres_dsn, port=to_database.port)
    page = console_at({**platform.env, "CLIPWARDEN_REDIS__URL": redis_url, "CLIPWARDEN_STORE__DSN": dsn})
    screen.driver.get(f"{page}/pipeline")
    screen.until(lambda: "flow 0/1" in screen.words() and "Nobody executes commands here." in screen.words())

    to_redis.cut()
    screen.until(lambda: "Redis does not answer since" in screen.words())
    assert "flow 0/1" in screen.words()
    to_redis.restore()
    screen.until(lambda: "Redis does not answer since" not in screen.words())

    to_database.cut()
    screen.until(lambda: "Commands cannot be read" in screen.words(), within_s=30)
    assert "flow 0/1" in screen.words()
    to_database.restore()
    screen.until(lambda: "Commands cannot be read" not in screen.words(), within_s=30)
    live.close()
