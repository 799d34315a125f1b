"""bench gpu: networks of published shapes through the worker's code, of what the chip can do; see gpu_shapes.py."""

import torch

from core.errors import ConfigError
from operations.bench.gpu_models import PUBLISHED, TINY
from operations.bench.gpu_shapes import DEVICES, MODES, GpuBench


def bench_gpu(device: str, mode: str, *, tiny: bool) -> dict[str, object]:
    """Items/s, as shares of a matrix product measured in the same run and beside the usual loop.

    Raises:
        ConfigError: no such device or mode.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("bench gpu needs a CUDA device and a CUDA build of torch; --device cpu --tiny only tries it")
    if mode not in MODES or device not in DEVICES:
        raise ConfigError(f"bench gpu takes --device {' or '.join(DEVICES)} and --compile {', '.join(MODES)}")
    bench = GpuBench(TINY if tiny else PUBLISHED, torch.device(device), compile_=MODES[mode])
    return {"bench": "gpu", "compile": mode} | bench.run()
