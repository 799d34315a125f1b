"""bench gpu: the served models on CUDA by batch size, beside the CPU of the same host."""

import time

import torch

from core.errors import ConfigError
from models.bundle import STARTER, Bundle, load_bundle

BATCHES = (1, 2, 4, 8, 16, 32, 64)
SECONDS = 3.0


def bench_gpu() -> dict[str, object]:
    """Clips/s through the video model; absolute figures hold for this chip only.

    Raises:
        ConfigError: there is no CUDA device.
    """
    if not torch.cuda.is_available():
        raise ConfigError("bench gpu needs a CUDA device and a CUDA build of torch; this host has none")
    torch.set_num_threads(1)
    cpu = _clips_per_s(load_bundle(STARTER), "cpu", 4)
    on_gpu = load_bundle(STARTER, device="cuda", dtype=torch.bfloat16)
    rates = {str(batch): round(_clips_per_s(on_gpu, "cuda", batch), 1) for batch in BATCHES}
    return {
        "bench": "gpu",
        "chip": torch.cuda.get_device_name(),
        "clips_per_s_by_batch": rates,
        "baseline_cpu_one_thread_per_s": round(cpu, 1),
        "ratio_to_baseline": round(max(rates.values()) / cpu, 1),
    }


@torch.inference_mode()
def _clips_per_s(bundle: Bundle, device: str, batch: int) -> float:
    if bundle.video is None:
        raise ConfigError("there is no video model to measure")
    clips = torch.randint(0, 256, (batch, *bundle.served.clip.shape), dtype=torch.uint8, device=device)
    for _ in range(3):
        bundle.video(clips)
    _settle(device)
    done, started_s = 0, time.perf_counter()
    while time.perf_counter() - started_s < SECONDS:
        bundle.video(clips)
        _settle(device)
        done += batch
    return done / (time.perf_counter() - started_s)


def _settle(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
