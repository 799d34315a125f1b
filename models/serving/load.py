"""A lineup of models → an engine that has proved itself: loaded, checked on known inputs, warm."""

from dataclasses import replace
from pathlib import Path

import structlog
import torch

from core.errors import ConfigError
from core.labels import Modality
from core.settings import ServingSettings
from models.bundle import STARTER, Bundle, load_bundle
from models.serving.batcher import text_buckets
from models.serving.engine import TorchEngine
from models.serving.golden import EXACT, ROUNDED, alone, check_golden, golden_jobs
from models.serving.job import Job
from models.serving.lineup import Lineup
from models.serving.memory import keep_freed_memory

_log = structlog.get_logger()


def base_lineup(settings: ServingSettings) -> Lineup:
    """What serves without a registry: `settings.models_dir`, or the starter models.

    Raises:
        ConfigError: no such folder.
    """
    folder = settings.models_dir or STARTER
    if not folder.is_dir():
        raise ConfigError(f"serving.models_dir {folder} is no folder; name a folder of models")
    return Lineup(folder)


def load_engine(settings: ServingSettings, lineup: Lineup | None = None) -> TorchEngine:
    """The engine of a lineup, by default the base one.

    Raises:
        ConfigError: no such folder or device, or models that do not compute what they did when saved.
    """
    lineup = lineup or base_lineup(settings)
    device = choose_device(settings.device)
    if device.type == "cpu":
        keep_freed_memory()
    dtype = choose_dtype(settings.precision, device)
    tolerance = EXACT if dtype is torch.float32 else ROUNDED
    # One core a clip, and as many clips side by side as there are threads.
    torch.set_num_threads(1 if device.type == "cpu" else settings.threads)
    with lineup.folder() as folder:
        bundle = load_bundle(folder, device=device, dtype=dtype)
        bundle = _named(bundle.fuse() if device.type == "cpu" else bundle, lineup)
        for modality, part in lineup.parts.items():
            if getattr(bundle, modality) is not None:
                check_golden(TorchEngine(alone(bundle, modality), device=device), part.folder, tolerance=tolerance)
        engine = TorchEngine(bundle, device=device, threads=settings.threads)
        check_golden(engine, folder, tolerance=tolerance)
    _warm(engine)
    _log.info("engine.loaded", model_version=engine.served.model_version, device=str(device), precision=str(dtype))
    return engine


def _named(bundle: Bundle, lineup: Lineup) -> Bundle:
    """Called by the registry's numbers; a champion of fusion has passed its gate, or it would be none."""
    served = replace(
        bundle.served,
        model_version=lineup.model_version(bundle.served.model_version),
        fusion_passed_gate=bundle.fusion is not None
        and (bundle.served.fusion_passed_gate or Modality.FUSION in lineup.parts),
    )
    return replace(bundle, served=served)


def choose_device(setting: str) -> torch.device:
    """The device a setting names; `auto` is the first GPU where there is one.

    Raises:
        ConfigError: it is not there.
    """
    if setting == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(setting)
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        raise ConfigError(f"serving.device {setting} is not there; set cpu or auto")
    return device


def choose_dtype(setting: str, device: torch.device) -> torch.dtype:
    """`auto` is bfloat16 where the hardware multiplies it: any recent GPU, a CPU with AVX512-BF16 or AMX."""
    has_bf16 = device.type == "cuda" or bool({"avx512_bf16", "amx_bf16"} & _cpu_flags())
    if setting == "bf16" or (setting == "auto" and has_bf16):
        return torch.bfloat16
    return torch.float32


def _cpu_flags() -> set[str]:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())


def _warm(engine: TorchEngine) -> None:
    """Pay for first-time work (kernels, buffers) before a request does: each bucket alone, then the largest batch."""
    known = golden_jobs(engine.served, engine.vocabulary)[0]
    for bucket in text_buckets(engine.served.max_tokens):
        if known.token_ids and bucket >= len(known.token_ids):
            engine.score([Job(known.token_ids, None, bucket)])
    engine.score([known] * min(engine.max_clips, 4))
