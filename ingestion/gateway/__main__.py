"""`python -m ingestion.gateway`: the HTTP gateway, from its settings to its last answer."""

import logging
import os
import signal
import socket
import sys
from datetime import UTC, datetime

import structlog
import uvicorn
from starlette.applications import Starlette

from core.errors import ConfigError, DependencyError
from core.health import Health, HealthServer
from core.heartbeat import HeartbeatThread
from core.settings import Settings
from core.settings_gateway import GatewaySettings
from core.storage.live import RedisLive
from core.storage.ports import Heartbeat
from core.telemetry import GATEWAY_REQUESTS, GATEWAY_UPLOADS, configure_logging, total
from ingestion.gateway.app import patient_protocol
from ingestion.gateway.assembly import Gateway

MAX_HEAD_BYTES = 16 * 1024
BACKLOG = 512
VERSION = "v1"

_log = structlog.get_logger()


def main() -> int:
    """Serve until SIGTERM or SIGINT; the exit code: 0 drained, 2 wrong configuration."""
    try:
        settings = Settings.load()
        configure_logging(settings.telemetry)
        # It would repeat at length what hostile requests hold.
        logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
        health = Health()
        health.set("gateway", ok=False, detail="starting")
        with HealthServer(settings.gateway.http_port, health) as server, Gateway(settings, health) as gateway:
            _serve(settings, gateway, health, server.port)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _log.info("gateway.drained")
    return 0


def _serve(settings: Settings, gateway: Gateway, health: Health, health_port: int) -> None:
    listener = _listen(settings.gateway)
    server: uvicorn.Server
    server = uvicorn.Server(_config(settings.gateway, gateway.app(lambda: server.should_exit)))
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server sends itself again, at its end, what asked it to end.
        signal.signal(number, lambda *_: None)

    def beat() -> Heartbeat:
        _look(gateway, health)
        GATEWAY_UPLOADS.set(gateway.limits.uploads)
        waiting = health.waiting_for()
        return Heartbeat(
            kind="gateway",
            instance=f"{socket.gethostname()}:{os.getpid()}",
            state="draining" if server.should_exit else "waiting" if waiting else "ready",
            version=VERSION,
            at=datetime.now(UTC),
            detail=waiting,
            numbers={"uploads": float(gateway.limits.uploads), "done_total": total(GATEWAY_REQUESTS)},
            port=health_port,
        )

    live = RedisLive(settings.redis, heartbeat_ttl_s=settings.telemetry.heartbeat_ttl_s)
    _look(gateway, health)
    health.set("gateway", ok=True)
    host, port = listener.getsockname()[:2]
    _log.info("gateway.ready", address=f"{host}:{port}", http_port=health_port)
    with HeartbeatThread(live, beat, settings.telemetry.heartbeat_s):
        server.run(sockets=[listener])
        health.set("gateway", ok=False, detail="draining")


def _look(gateway: Gateway, health: Health) -> None:
    for name, ping in gateway.dependencies.items():
        try:
            ping()
        except DependencyError as error:
            health.set(name, ok=False, detail=str(error))
        else:
            health.set(name, ok=True)


def _listen(settings: GatewaySettings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port), backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"CLIPWARDEN_GATEWAY__PORT={settings.port} on {settings.host}: {error.strerror}; choose another port, or 0"
        ) from error


def _config(settings: GatewaySettings, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        # Written in Python, and for that strict about what a request's head may be, and how long.
        http=patient_protocol(settings.max_connections),
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        ws="none",
        lifespan="off",
        loop="asyncio",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=settings.drain_s,
    )


if __name__ == "__main__":
    sys.exit(main())
