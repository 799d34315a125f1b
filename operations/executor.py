"""`python -m operations.executor`: executes operators' commands where no supervisor runs, as in containers.

It replays dead letters; start, stop and restart are the container engine's, and it says with which command.
"""

import signal
import socket
import sys
import threading
from datetime import UTC, datetime
from importlib.metadata import version

import structlog

from core.errors import ConfigError, StoreUnavailable
from core.health import Health, HealthServer
from core.heartbeat import HeartbeatThread
from core.settings import Settings
from core.storage.commands import Commands
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from core.storage.live import RedisLive
from core.storage.orders import PROCESS_KINDS, REPLAY_KINDS, Order
from core.storage.ports import Heartbeat
from core.telemetry import configure_logging
from operations.desk import CommandRefused, Desk, Say
from operations.replay_hand import ReplayHand

KIND = "operations"

log = structlog.get_logger()


def refuse(order: Order, say: Say) -> str:
    """Say what this mode cannot do, and with what it is done.

    Raises:
        CommandRefused: always.
    """
    del say
    raise CommandRefused(
        f"not from here: the processes are the container engine's; on its host: docker compose {order.kind} "
        f"{order.arguments.subject()}"
    )


def serve(settings: Settings) -> None:
    """Execute until SIGTERM or SIGINT."""
    stop, health = threading.Event(), Health()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    commands, history = Commands(Database(settings.store, "commands")), TimescaleHistory(settings.store)
    poll_s = settings.operations.poll_s
    desks = [
        Desk(commands, ReplayHand(settings), kinds=REPLAY_KINDS, poll_s=poll_s),
        Desk(commands, refuse, kinds=PROCESS_KINDS, poll_s=poll_s),
    ]
    live = RedisLive(settings.redis, heartbeat_ttl_s=settings.telemetry.heartbeat_ttl_s)
    server = HealthServer(settings.operations.http_port, health)
    beats = HeartbeatThread(live, lambda: _beat(health, server.port, stop), settings.telemetry.heartbeat_s)
    with server, beats:
        for desk in desks:
            desk.start()
        log.info("executor.ready", http_port=server.port)
        while not stop.is_set():
            _look(history, health)
            stop.wait(poll_s)
        for desk in desks:
            desk.stop()
    log.info("executor.stopped")


def _look(history: TimescaleHistory, health: Health) -> None:
    try:
        history.ping()
    except StoreUnavailable as error:
        health.set("database", ok=False, detail=str(error))
    else:
        health.set("database", ok=True)


def _beat(health: Health, port: int, stop: threading.Event) -> Heartbeat:
    waiting = health.waiting_for()
    state = "draining" if stop.is_set() else "waiting" if waiting else "ready"
    now = datetime.now(UTC)
    return Heartbeat(KIND, socket.gethostname(), state, version("clipwarden"), now, waiting, port=port)


def main() -> int:
    """Execute commands; the exit code: 0 stopped, 2 wrong configuration."""
    try:
        settings = Settings.load()
        configure_logging(settings.telemetry)
        serve(settings)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
