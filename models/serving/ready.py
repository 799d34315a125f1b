"""A loaded engine → one that is as fast as its device allows, and still computes what it did."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle, islice

import structlog

from core.errors import ConfigError
from core.labels import Modality
from core.telemetry import ENGINE_SLOWED
from models.serving.batcher import text_buckets
from models.serving.cuda import CudaDevice
from models.serving.engine import TorchEngine, difference
from models.serving.golden import ROUNDED, golden_jobs
from models.serving.job import EngineSickError, Job

_log = structlog.get_logger()


def get_ready(engine: TorchEngine, *, max_batch: int) -> None:
    """Compile, record and warm up what this device takes, so that no request pays for it.

    What cannot be done is an event, a metric and the engine's `problem`: it serves all the same, slower.

    Raises:
        ConfigError: known inputs compute otherwise afterwards.
    """
    problems = _prepare(engine, engine.device, max_batch) if isinstance(engine.device, CudaDevice) else {}
    engine.problem = "; ".join(f"{modality} is {problem}" for modality, problem in problems.items())
    for modality in Modality:
        ENGINE_SLOWED.labels(modality.value).set(modality.value in problems)
    if problems:
        _log.warning("engine.slowed", **problems)
    _warm(engine)


def _prepare(engine: TorchEngine, device: CudaDevice, max_batch: int) -> dict[str, str]:
    problems = device.prepare(buckets=_buckets(engine), max_batch=max_batch)
    if wrong := _first_change(engine, max_batch):
        recorded = device.recorded
        device.forget()
        problems |= dict.fromkeys(recorded, f"not recorded (it computed otherwise: {wrong})")
        if wrong := _first_change(engine, max_batch):
            raise ConfigError(f"the models compute otherwise once rearranged ({wrong}); set serving.device to cpu")
    # Compiled layers round elsewhere: from now on inputs are compared with what these compute.
    engine.remember(engine.known[0])
    return problems


def _first_change(engine: TorchEngine, max_batch: int) -> str:
    """Known inputs in every bucket, in a small and in the largest batch: what no longer computes what it did."""
    jobs, before = engine.known
    for batch in _batches(engine, jobs, max_batch):
        try:
            now = engine.score(batch)
        except EngineSickError as error:
            return str(error)
        expected = list(islice(cycle(before), len(batch)))
        if wrong := difference(expected, now, tolerance=ROUNDED):
            return wrong
    return ""


def _batches(engine: TorchEngine, jobs: Sequence[Job], max_batch: int) -> Iterator[list[Job]]:
    longest = max((len(job.token_ids or ()) for job in jobs), default=0)
    for bucket in _buckets(engine) or (0,):
        for size in (1, max_batch) if bucket >= longest else ():
            padded = (replace(job, tokens=bucket if job.token_ids else 0) for job in cycle(jobs))
            yield list(islice(padded, size))


def _buckets(engine: TorchEngine) -> tuple[int, ...]:
    return text_buckets(engine.served.max_tokens) if engine.served.max_tokens else ()


def _warm(engine: TorchEngine) -> None:
    """Pay for first-time work (kernels, buffers) before a request does: each bucket alone, then the largest batch."""
    known = golden_jobs(engine.served, engine.vocabulary)[0]
    for bucket in _buckets(engine):
        if known.token_ids and bucket >= len(known.token_ids):
            engine.score([Job(known.token_ids, None, bucket)])
    engine.score([known] * min(engine.max_clips, 4))
