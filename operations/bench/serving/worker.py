"""Our worker as `bench serving` starts it: `python -m operations.bench.serving.worker BIND stub|starter`."""

import signal
import sys
import threading

from core.clock import SystemClock
from core.health import Health, HealthServer
from core.settings import ServingSettings, Settings
from core.telemetry import configure_logging
from models.serving.__main__ import SWITCH_S
from models.serving.job import Engine
from models.serving.worker import Worker
from operations.bench.serving.crew import say_ready
from operations.bench.serving.stub import MAX_BATCH, MAX_WAIT_MS, StubEngine


def main(bind: str, engine: str) -> None:
    """Serve until told to end, or until whoever started this is gone."""
    settings = Settings.load()
    configure_logging(settings.telemetry.model_copy(update={"log_level": "error"}))
    sys.setswitchinterval(SWITCH_S)
    serving = settings.serving.model_copy(update={"bind": bind})
    built, serving = (_starter(serving), serving) if engine == "starter" else (StubEngine(), _as_gpu(serving))
    health = Health()
    worker = Worker(built, settings=serving, clock=SystemClock(), health=health)
    signal.signal(signal.SIGTERM, lambda *_: worker.drain())
    threading.Thread(target=_end_with_parent, args=(worker,), daemon=True).start()
    with HealthServer(0, health) as server:
        say_ready(worker.endpoint, metrics_port=server.port)
        worker.run()


def _starter(serving: ServingSettings) -> Engine:
    from models.serving.load import load_engine  # noqa: PLC0415 - the stub needs no torch

    return load_engine(serving)


def _as_gpu(serving: ServingSettings) -> ServingSettings:
    return serving.model_copy(update={"max_batch": MAX_BATCH, "max_wait_ms": MAX_WAIT_MS})


def _end_with_parent(worker: Worker) -> None:
    sys.stdin.read()
    worker.drain()


if __name__ == "__main__":
    main(*sys.argv[1:])
