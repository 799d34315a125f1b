from pathlib import Path

import pytest
import torch

from models.serving.choice import Threads, choose_dtype, cpu_flags, share_threads

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("setting", "flags", "dtype"),
    [
        ("auto", {"sse2", "avx2"}, torch.float32),
        ("auto", {"avx2", "avx512f", "avx512bw", "avx512_vnni"}, torch.float32),
        ("auto", {"avx512f", "avx512_bf16"}, torch.bfloat16),
        ("auto", {"amx_tile", "amx_bf16"}, torch.bfloat16),
        ("auto", set(), torch.float32),
        ("fp32", {"avx512_bf16"}, torch.float32),
        ("bf16", set(), torch.bfloat16),
    ],
)
def test_a_cpu_computes_in_half_precision_only_where_it_multiplies_it(
    setting: str, flags: set[str], dtype: torch.dtype
) -> None:
    assert choose_dtype(setting, CPU, flags=frozenset(flags)) is dtype


def test_a_gpu_computes_in_half_precision_unless_told_otherwise() -> None:
    assert choose_dtype("auto", GPU, flags=frozenset()) is torch.bfloat16
    assert choose_dtype("fp32", GPU, flags=frozenset()) is torch.float32


def test_flags_are_those_of_the_first_processor(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nflags\t\t: fpu avx2 amx_bf16\n\nprocessor\t: 1\nflags\t\t: fpu\n")

    assert {"avx2", "amx_bf16"} <= cpu_flags(path)
    assert cpu_flags(tmp_path / "missing") == frozenset()


@pytest.mark.parametrize(("setting", "cores"), [(1, 1), (8, 2), (2, 8), (256, 4), (8, 1)])
def test_threads_never_outnumber_cores(setting: int, cores: int) -> None:
    for device in (CPU, GPU):
        shared = share_threads(setting, device, cores=cores)

        assert 1 <= shared.torch * shared.clips <= min(setting, cores)
    assert share_threads(setting, CPU, cores=cores) == Threads(torch=1, clips=min(setting, cores))
