"""The stores of bench console: the filled database, and a live view of its newest verdicts, beside the platform's."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from core.settings import PREFIX, Settings
from core.storage.history import TimescaleHistory
from core.storage.live import RedisLive
from operations.reporting_role import reporting_dsn
from operations.state import Site, environment
from operations.state import settings as site_settings

LIVE_SPACE = 9
"""The platform's own live view is in space 0 of the same server."""
LASTS_S = 86_400
_COUNTED = timedelta(hours=1)


@dataclass(frozen=True)
class Stores:
    """Where a console finds them: as CLIPWARDEN_* variables, and as a value.

    Attributes:
        platform: where the platform's own processes find theirs.
    """

    env: Mapping[str, str]
    settings: Settings
    platform: Settings


def stores(site: Site, dsn: str) -> Stores:
    """The platform's servers, with the database of this DSN and a live view of its own."""
    at = conninfo_to_dict(dsn)
    reporting = reporting_dsn(site.secrets.postgres, site.address("postgres"), str(at["dbname"]))
    live = f"{site.redis_url.rpartition('/')[0]}/{LIVE_SPACE}"
    env = {
        **environment(site),
        f"{PREFIX}STORE__DSN": dsn,
        f"{PREFIX}REPORTING__DSN": reporting,
        f"{PREFIX}REDIS__URL": live,
        f"{PREFIX}DASHBOARD__LOGS_DIR": str(site.paths.logs),
    }
    own = site_settings(site)
    changed = {
        "store": own.store.model_copy(update={"dsn": SecretStr(dsn)}),
        "redis": own.redis.model_copy(update={"url": SecretStr(live)}),
    }
    return Stores(env, own.model_copy(update=changed), own)


@contextmanager
def live_view(found: Stores) -> Iterator[None]:
    """The newest verdicts as flows would have put them into the view, and who is at work now; gone afterwards."""
    settings, now = found.settings, datetime.now(UTC)
    history, live = TimescaleHistory(settings.store), RedisLive(settings.redis, heartbeat_ttl_s=LASTS_S)
    size = settings.redis.live_size
    try:
        with closing(RedisLive(found.platform.redis)) as own:
            for heartbeat in own.snapshot().heartbeats:
                live.beat(heartbeat)
        live.rebuild([*history.recent(size), *history.recent(size, flagged_only=True)], now)
        live.count(history.counts(now - _COUNTED), now)
        yield
    finally:
        history.close()
        live.close()
        with redis.Redis.from_url(settings.redis.url.get_secret_value()) as space:
            space.flushdb()
