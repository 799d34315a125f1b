"""`python -m models.serving`: the inference worker, from its settings to its last answer."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial

import structlog

from core.clock import SystemClock
from core.errors import ConfigError
from core.health import Health, HealthServer
from core.heartbeat import HeartbeatThread
from core.settings import Settings
from core.storage.live import RedisLive
from core.storage.ports import Heartbeat
from core.telemetry import configure_logging
from models.bell import Bell
from models.serving.challengers import Challengers
from models.serving.job import Engine, EngineSickError
from models.serving.lineup import Lineup
from models.serving.shadows import Shadows
from models.serving.watch import Watch
from models.serving.worker import Worker, WorkerStalledError

SWITCH_S = 0.0005

_log = structlog.get_logger()


def main() -> int:
    """Serve until SIGTERM or SIGINT; the exit code: 0 drained, 1 the worker broke, 2 wrong configuration."""
    # The loop must get the interpreter soon when a message comes while Python code computes.
    sys.setswitchinterval(SWITCH_S)
    try:
        settings = Settings.load()
        configure_logging(settings.telemetry)
        health = Health()
        health.set("models", ok=False, detail="loading")
        with HealthServer(settings.serving.http_port, health) as server:
            return _serve(settings, health, server.port)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (EngineSickError, WorkerStalledError) as error:
        _log.critical("worker.broke", error=str(error))
        return 1


def _serve(settings: Settings, health: Health, port: int) -> int:
    from models.serving.load import base_lineup, load_engine  # noqa: PLC0415 - torch takes seconds; health does not wait
    from models.serving.memory import device_memory  # noqa: PLC0415 - as above

    load = partial(load_engine, settings.serving)
    shadows = Shadows()
    watch = _watch(settings, base=base_lineup(settings.serving), load=load, health=health, shadows=shadows)
    engine = watch.first() if watch else load()
    worker = Worker(engine, settings=settings.serving, clock=SystemClock(), health=health, shadows=shadows)
    health.set("models", ok=True, detail=worker.served.model_version)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.drain())

    def beat() -> Heartbeat:
        waiting = health.waiting_for()
        health.set("models", ok=True, detail=worker.served.model_version)
        return Heartbeat(
            kind="worker",
            instance=f"{socket.gethostname()}:{os.getpid()}",
            state="ready" if not waiting else "draining",
            version=worker.served.model_version,
            at=datetime.now(UTC),
            detail=waiting or "; ".join(part for part in (worker.problem, watch.problem if watch else "") if part),
            numbers={**worker.numbers(), **device_memory()},
            port=port,
            facts=worker.served.facts,
        )

    _log.info("worker.ready", endpoint=worker.endpoint, http_port=port, model_version=engine.served.model_version)
    live = RedisLive(settings.redis, heartbeat_ttl_s=settings.telemetry.heartbeat_ttl_s)
    with (
        HeartbeatThread(live, beat, settings.telemetry.heartbeat_s),
        watch.following(worker) if watch else nullcontext(),
    ):
        worker.run()
    _log.info("worker.drained")
    return 0


def _watch(
    settings: Settings, *, base: Lineup, load: Callable[[Lineup], Engine], health: Health, shadows: Shadows
) -> Watch | None:
    """What follows the registry; None without one."""
    if not settings.mlflow.tracking_uri:
        return None
    challengers = Challengers(settings.mlflow, shadows) if settings.serving.shadow_share > 0 else None
    bell = Bell(settings.redis)
    return Watch(settings.mlflow, base=base, load=load, bell=bell, health=health, challengers=challengers)


if __name__ == "__main__":
    code = main()
    if threading.active_count() > 1:
        # A compute thread that never ends must not keep a broken worker from being replaced.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
