"""`python -m operations.router`: sends alerts to the routes people wrote, until it is told to stop.

It follows the database, never Redis: what a transaction flagged waits there until its deliveries are written.
"""

import os
import signal
import socket
import sys
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

import structlog

from core.clock import SystemClock
from core.errors import ConfigError
from core.health import Health, HealthServer
from core.heartbeat import HeartbeatThread
from core.settings import Settings
from core.storage.database import Database
from core.storage.deliveries import Deliveries
from core.storage.live import RedisLive
from core.storage.ports import Heartbeat
from core.telemetry import configure_logging
from ingestion.crew import Crew
from operations.routing.carriers import Carriers
from operations.routing.turn import SENDERS, Courier, Judge
from operations.routing.webhook import gate

LOOK_S = 5.0
DRAIN_SLACK_S = 5.0

_log = structlog.get_logger()


def serve(settings: Settings) -> int:
    """Route until SIGTERM or SIGINT; the exit code: 0 drained, 1 a thread broke."""
    health = Health()
    crew = Crew(health)
    # Each sender notes its answer; the judge, the claim and the look need a connection as well.
    pool = settings.store.model_copy(update={"pool_max": SENDERS + 3})
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: crew.stop.set())
    with (
        closing(Database(pool, "router")) as database,
        closing(RedisLive(settings.redis, heartbeat_ttl_s=settings.telemetry.heartbeat_ttl_s)) as live,
        gate(settings.routing) as opened,
        HealthServer(settings.routing.http_port, health) as server,
    ):
        deliveries = Deliveries(database)
        judge = Judge(deliveries)
        carriers = Carriers(settings.routing, opened, SystemClock())
        beat = partial(_heartbeat, crew, health, judge, server.port)
        with closing(Courier(deliveries, carriers, settings.routing)) as courier:
            crew.add("judge", judge.turn)
            crew.add("courier", courier.turn)
            crew.add("look", judge.look, idle_s=LOOK_S)
            with HeartbeatThread(live, beat, settings.telemetry.heartbeat_s):
                _log.info("router.ready", http_port=server.port)
                crew.wait()
            crew.finish(2 * settings.routing.timeout_s + DRAIN_SLACK_S)
    if crew.failure is not None:
        _log.critical("router.broke", exc_info=crew.failure)
        return 1
    _log.info("router.drained")
    return 0


def _heartbeat(crew: Crew, health: Health, judge: Judge, port: int) -> Heartbeat:
    waiting = health.waiting_for()
    return Heartbeat(
        kind="router",
        instance=f"{socket.gethostname()}:{os.getpid()}",
        state="draining" if crew.stop.is_set() else "waiting" if waiting else "ready",
        version=version("clipwarden"),
        at=datetime.now(UTC),
        detail=waiting,
        numbers={"waiting_deliveries": judge.pending},
        port=port,
    )


def main() -> int:
    """Route alerts; 2 is a wrong configuration."""
    try:
        settings = Settings.load()
        configure_logging(settings.telemetry)
        return serve(settings)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
