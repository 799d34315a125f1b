"""A lineup of models → an engine that has proved itself: loaded, checked on known inputs, warm."""

from dataclasses import replace

import structlog
import torch

from core.errors import ConfigError
from core.labels import Modality
from core.settings import ServingSettings
from models.bundle import STARTER, Bundle, load_bundle
from models.serving.choice import choose_device, choose_dtype, cores, cpu_flags, share_threads
from models.serving.engine import TorchEngine
from models.serving.golden import EXACT, ROUNDED, alone, check_golden
from models.serving.lineup import Lineup
from models.serving.memory import keep_freed_memory
from models.serving.ready import get_ready

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
    dtype = choose_dtype(settings.precision, device, flags=cpu_flags())
    threads = share_threads(settings.threads, device, cores=cores())
    tolerance = EXACT if dtype is torch.float32 else ROUNDED
    torch.set_num_threads(threads.torch)
    with lineup.folder() as folder:
        bundle = load_bundle(folder, device=device, dtype=dtype)
        bundle = _named(bundle.fuse() if device.type == "cpu" else bundle, lineup)
        for modality, part in lineup.parts.items():
            if getattr(bundle, modality) is not None:
                check_golden(TorchEngine(alone(bundle, modality), device=device), part.folder, tolerance=tolerance)
        engine = TorchEngine(bundle, device=device, threads=threads.clips)
        check_golden(engine, folder, tolerance=tolerance)
    get_ready(engine, max_batch=settings.max_batch)
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
