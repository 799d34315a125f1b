"""What this machine computes on, how precisely and with how many threads: rules over what a setting and a host say."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from core.errors import ConfigError

_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


@dataclass(frozen=True)
class Threads:
    """How the cores are shared out.

    Attributes:
        torch: that one operation uses, on the thread that computes.
        clips: clips computed side by side, each on one core.
    """

    torch: int
    clips: int


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


def choose_dtype(setting: str, device: torch.device, *, flags: frozenset[str]) -> torch.dtype:
    """`auto` is bfloat16 where the hardware multiplies it: any recent GPU, a CPU with AVX512-BF16 or AMX.

    A CPU that would emulate it computes in float32; `flags` are what /proc/cpuinfo says of the CPU.
    """
    has_bf16 = device.type == "cuda" or bool(_BF16_FLAGS & flags)
    if setting == "bf16" or (setting == "auto" and has_bf16):
        return torch.bfloat16
    return torch.float32


def share_threads(setting: int, device: torch.device, *, cores: int) -> Threads:
    """No more threads than cores, whatever the setting: threads that wait for a core hold up those they work with.

    On a CPU cores go to clips, one each, and an operation gets one; on a GPU the host only hands over.
    """
    threads = max(1, min(setting, cores))
    return Threads(1, threads) if device.type == "cpu" else Threads(threads, 1)


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """What the first CPU can do; empty where nothing says so."""
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    return next((frozenset(line.split()) for line in lines if line.startswith("flags")), frozenset())


def cores() -> int:
    """That this process may run on: fewer than the machine has where an operator pinned it."""
    return len(os.sched_getaffinity(0))
