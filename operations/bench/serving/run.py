"""The rounds of `bench serving`: ring and gRPC in turn under the same load, then LitServe, then the starter models."""

import importlib.util
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Self

import numpy as np
import psutil
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.errors import ConfigError
from operations.bench.serving.client import MOST_IN_FLIGHT
from operations.bench.serving.crew import Crew, Point, Round
from operations.bench.serving.stub import BATCH_S, CLIP, MAX_BATCH, MAX_WAIT_MS
from operations.seat import screen

POINTS = (*(Point(clients, MOST_IN_FLIGHT) for clients in (1, 4, 16)), Point(16, 1))
WARM_S = 0.5
STARTER_TIMES = 4
PACKAGES = {"grpc": ("grpc", "grpcio"), "litserve": ("litserve", "litserve")}
"""Baseline → the module it needs and the package that brings it; neither is a dependency of the product."""

Row = dict[str, float]


@dataclass(frozen=True)
class Load:
    """How often and how long each point is measured."""

    rounds: int
    seconds: float
    points: tuple[Point, ...] = POINTS


def bench_serving(load: Load) -> dict[str, Any]:
    """What a request costs beside gRPC and LitServe with the same stub for a model, and with the starter models."""
    side_by_side = [name for name in ("ring", "grpc") if not missing(name)]
    with tempfile.TemporaryDirectory(prefix="clipwarden-bench-") as folder, _Bar(load) as bar:
        rows = _measure(side_by_side, "stub", Path(folder), load=load, bar=bar)
        # Not in turn with the others: its processes poll while they are idle.
        rows |= _measure(
            [name for name in ("litserve",) if not missing(name)], "stub", Path(folder), load=load, bar=bar
        )
        # On a CPU an answer takes seconds when so many wait: one long round says more than short ones.
        long = replace(load, rounds=1, seconds=STARTER_TIMES * load.seconds)
        starter = _measure(["ring"], "starter", Path(folder), load=long, bar=bar)
    return report(rows, starter["ring"], load)


def missing(transport: str) -> str:
    """Why a transport cannot be measured here; empty when it can."""
    if transport not in PACKAGES:
        return ""
    module, package = PACKAGES[transport]
    return (
        "" if importlib.util.find_spec(module) else f"not measured: {package} is not installed; pip install {package}"
    )


class _Bar:
    """Rounds done, and the time left."""

    def __init__(self, load: Load) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=screen, transient=True)
        stub = 1 + sum(not missing(name) for name in PACKAGES)
        self._task = self._bar.add_task("bench", total=(stub * load.rounds + 1) * len(load.points))

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def next(self, what: str) -> None:
        """Say what is measured now."""
        self._bar.update(self._task, description=what)

    def done(self) -> None:
        """One round is over."""
        self._bar.advance(self._task)


def _measure(
    transports: Sequence[str], engine: str, folder: Path, *, load: Load, bar: _Bar
) -> dict[str, dict[Point, Row]]:
    """Transport → point → medians over the rounds; the transports take turns."""
    most = max(point.clients for point in load.points)
    found: dict[tuple[str, Point], list[Row]] = {}
    with ExitStack() as running:
        crews = {
            name: running.enter_context(Crew.started(server(name, engine, folder), name, clients=most, folder=folder))
            for name in transports
        }
        for _ in range(load.rounds):
            for point in load.points:
                for name, crew in crews.items():
                    bar.next(f"{engine}, {name}, {point.clients} clients")
                    measured = crew.round(point, warm_s=WARM_S, seconds=load.seconds)
                    found.setdefault((name, point), []).append(figures(measured, tells_compute=name == "ring"))
                    bar.done()
    return {name: {point: _median(found[name, point]) for point in load.points} for name in transports}


def server(transport: str, engine: str, folder: Path) -> list[str]:
    """The module that serves, and its arguments."""
    if transport == "ring":
        return ["operations.bench.serving.worker", f"ipc://{folder}/{engine}.sock", engine]
    return [{"grpc": "operations.bench.serving.grpc_aio", "litserve": "operations.bench.serving.lit"}[transport]]


def figures(measured: Round, *, tells_compute: bool) -> Row:
    """One round as a row; what only our worker tells is there only for it.

    Raises:
        ConfigError: no request was answered in it.
    """
    answers = len(measured.latencies_ms)
    if not answers:
        raise ConfigError(f"no answer came within {measured.seconds:g} s; measure longer, with --seconds")
    p50_ms, p99_ms = np.percentile(measured.latencies_ms, [50, 99])
    row = {
        "req_s": answers / measured.seconds,
        "p50_ms": float(p50_ms),
        "p99_ms": float(p99_ms),
        "server_cpu_ms": measured.server_cpu_s / answers * 1e3,
        "client_cpu_ms": measured.clients_cpu_s / answers * 1e3,
    }
    if tells_compute:
        batches = max(1.0, measured.batches)
        idle_s = max(0.0, 1 - measured.busy_fraction) * measured.seconds
        row |= {"busy_fraction": measured.busy_fraction, "idle_ms_per_batch": idle_s / batches * 1e3}
        row |= {"batch": answers / batches}
    return row


def _median(rows: Sequence[Row]) -> Row:
    return {name: round(median(row[name] for row in rows), 3) for name in rows[0]}


def report(rows: Mapping[str, Mapping[Point, Row]], starter: Mapping[Point, Row], load: Load) -> dict[str, Any]:
    """What `--json` prints; the ratio and the busy share are those of the heaviest point."""
    most = max(load.points, key=lambda point: point.clients * point.in_flight)
    ring, grpc = rows["ring"][most], rows.get("grpc", {}).get(most)
    return {
        "bench": "serving",
        "cores": psutil.cpu_count(),
        "clip_bytes": CLIP.clip_bytes,
        "in_flight_per_client": MOST_IN_FLIGHT,
        "stub": {"batch_ms": BATCH_S * 1e3, "max_batch": MAX_BATCH, "max_wait_ms": MAX_WAIT_MS},
        "rounds": load.rounds,
        "seconds": load.seconds,
        **{name: _by_clients(rows[name]) if name in rows else missing(name) for name in ("ring", *PACKAGES)},
        "ratio_req_s": round(ring["req_s"] / grpc["req_s"], 2) if grpc else None,
        "busy_fraction": ring["busy_fraction"],
        "starter": _by_clients(starter),
    }


def _by_clients(rows: Mapping[Point, Row]) -> dict[str, dict[str, Row]]:
    full = {str(point.clients): row for point, row in rows.items() if point.in_flight == MOST_IN_FLIGHT}
    return {"clients": full, "one_in_flight": {str(p.clients): row for p, row in rows.items() if p.in_flight == 1}}
