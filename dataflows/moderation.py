"""The scoring flow, whole: event in → parse → decode and infer → decide → write.

Started as `python -m bytewax.run dataflows.moderation`; nothing runs at import.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource
from bytewax.outputs import FixedPartitionedSink
from bytewax.recovery import init_db_dir

from core.errors import ConfigError
from core.settings import FlowSettings, Settings, process_environment
from core.telemetry import configure_logging
from dataflows import steps
from dataflows.infer import Scored
from dataflows.kafka import Offsets
from dataflows.parse import Posted, Record, Rejected
from dataflows.process import ScoringProcess
from dataflows.write import Outcome

Parse = Callable[[Record], Posted | Rejected]
Score = Callable[[Posted | Rejected], "Scored | Rejected | Future[Scored]"]
Decide = Callable[[Any], Outcome]
"""Takes Scored | Rejected; the step's type is wider than what it emits."""
Source = FixedPartitionedSource[tuple[str, Record], Offsets]
Sink = FixedPartitionedSink[Outcome, None]

BYTEWAX_DEFAULTS = {"BYTEWAX_SNAPSHOT_INTERVAL": "1", "BYTEWAX_RECOVERY_BACKUP_INTERVAL": "0"}
"""Whole seconds: an epoch each second, and no snapshots kept behind the last one."""


def build_flow(source: Source, *, parse: Parse, score: Score, decide: Decide, sink: Sink) -> Dataflow:
    """The path of a video on one screen; every part comes in."""
    flow = Dataflow("moderation")
    records = op.input("read", flow, source)
    posts = op.map_value("parse", records, parse)
    scored = steps.in_flight("decode_and_infer", posts, score)
    outcomes = op.map_value("decide", scored, decide)
    op.output("write", outcomes, sink)
    return flow


def flow() -> Dataflow:
    """What `bytewax.run` looks for: the flow with its real parts."""
    return start(ScoringProcess)


def start(kind: type[ScoringProcess]) -> Dataflow:
    """Build one process and its flow; a wrong setting is one line on stderr and exit code 2."""
    try:
        settings = Settings.load()
        configure_logging(settings.telemetry)
        _refuse_more_workers(sys.orig_argv, process_environment())
        _run_with_recovery(settings.flow)
        process = kind(settings).start()
    except ConfigError as error:
        sys.stderr.write(f"clipwarden flow: {error.message}\n")
        raise SystemExit(2) from error
    return build_flow(
        process.source(),
        parse=process.parser().parse,
        score=process.score,
        decide=process.applier.outcome,
        sink=process.sink(),
    )


def _run_with_recovery(settings: FlowSettings) -> None:
    """Bare, Bytewax would run without recovery and with 10 s epochs: set both and start again, once."""
    state = settings.state_dir / f"share-{settings.share_index}-of-{settings.share_count}"
    environment = process_environment()
    wanted = {"BYTEWAX_RECOVERY_DIRECTORY": str(state), **BYTEWAX_DEFAULTS}
    missing = {name: value for name, value in wanted.items() if name not in environment}
    directory = Path(environment.get("BYTEWAX_RECOVERY_DIRECTORY", state))
    if not list(directory.glob("part-*.sqlite3")):
        directory.mkdir(parents=True, exist_ok=True)
        init_db_dir(directory, 1)  # type: ignore[no-untyped-call]  # Bytewax ships no types for it
    if missing:
        os.execve(sys.executable, sys.orig_argv, {**environment, **missing})  # noqa: S606 - ourselves, once


def _refuse_more_workers(arguments: list[str], environment: dict[str, str]) -> None:
    """Scaling is by shares: with one worker nothing is pickled and the writer keeps its order."""
    given = [environment.get("BYTEWAX_WORKERS_PER_PROCESS", "1")]
    given += [after for flag, after in pairwise(arguments) if flag in ("-w", "--workers-per-process")]
    if any(count != "1" for count in given) or "BYTEWAX_ADDRESSES" in environment or {"-a", "-i"} & set(arguments):
        raise ConfigError("one scoring process is one Bytewax worker; scale with CLIPWARDEN_FLOW__SHARE=0/2, 1/2, ...")
