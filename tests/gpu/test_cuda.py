"""What only a GPU can show: recordings, compiled layers and streams give what the CPU gives.

Runs where torch, transformers and pytest are and nothing else: pytest --noconftest -m gpu tests/gpu/test_cuda.py.
"""

from collections.abc import Callable, Sequence
from functools import partial

import pytest
import torch
from torch import nn

from models.networks.adapters import HuggingFaceVideo
from models.networks.outputs import TextOutput, VideoOutput
from models.serving.cuda import PIECE_CLIPS, CudaDevice
from models.serving.device import CpuDevice
from models.serving.feed import Fill
from tests.fixtures.cuda import GPU_TESTS
from tests.unit.models.test_tuning import captions, clips, text, video

pytestmark = GPU_TESTS

CUDA = torch.device("cuda")
CLIP = (4, 16, 16, 3)
BUCKET = 12
TOLERANCE = 1e-4


def fills_of(batch: torch.Tensor) -> list[Fill]:
    def fill(clip: torch.Tensor, out: memoryview) -> None:
        out[:] = clip.numpy().tobytes()

    return [partial(fill, clip) for clip in batch]


@pytest.fixture
def on_cpu() -> CpuDevice:
    return CpuDevice(text(), video(), clip_shape=CLIP)


@pytest.fixture
def on_gpu() -> CudaDevice:
    return CudaDevice(text().to(CUDA), video().to(CUDA), clip_shape=CLIP, where=CUDA)


def prepared(device: CudaDevice, compile_: Callable[..., object] = torch.compile) -> CudaDevice:
    assert device.prepare(buckets=(BUCKET,), max_batch=8, compile_=compile_) == {}
    assert device.recorded == ("text", "video")
    return device


def close(ours: TextOutput | VideoOutput, theirs: TextOutput | VideoOutput) -> bool:
    return torch.allclose(ours.probabilities.cpu(), theirs.probabilities, atol=TOLERANCE) and torch.allclose(
        ours.states.cpu(), theirs.states, atol=100 * TOLERANCE
    )


@torch.inference_mode()
def test_a_gpu_gives_what_the_cpu_gives_before_and_after_it_was_prepared(on_cpu: CpuDevice, on_gpu: CudaDevice) -> None:
    for _ in range(2):
        for size in (1, 3, 8, PIECE_CLIPS + 3):
            (batch,) = clips(size)
            assert close(on_gpu.clips(fills_of(batch)), on_cpu.clips(fills_of(batch)))
            ids_and_mask = captions(min(size, 9))
            assert close(on_gpu.captions(*ids_and_mask), on_cpu.captions(*ids_and_mask))
        prepared(on_gpu)


@torch.inference_mode()
def test_compiled_layers_compute_what_the_same_layers_did_uncompiled(on_gpu: CudaDevice) -> None:
    plain = prepared(CudaDevice(text().to(CUDA), video().to(CUDA), clip_shape=CLIP, where=CUDA), lambda layer: layer)
    (batch,) = clips(8)

    prepared(on_gpu)

    assert torch.allclose(
        on_gpu.clips(fills_of(batch)).probabilities, plain.clips(fills_of(batch)).probabilities, atol=TOLERANCE
    )


def test_without_a_compiler_it_is_recorded_all_the_same_and_says_so(on_gpu: CudaDevice) -> None:
    def no_compiler(_function: Callable[..., object]) -> Callable[..., object]:
        def fail(*_args: object, **_kwargs: object) -> object:
            raise RuntimeError("no compiler")

        return fail

    problems = on_gpu.prepare(buckets=(BUCKET,), max_batch=2, compile_=no_compiler)

    assert problems == dict.fromkeys(("text", "video"), "not compiled (RuntimeError: no compiler)")
    assert on_gpu.recorded == ("text", "video")


class Looking(HuggingFaceVideo):
    """Asks the device for a number in the middle, which no recording can hold."""

    def forward(self, clips: torch.Tensor) -> VideoOutput:
        assert float(clips.float().sum()) >= 0
        return super().forward(clips)


@torch.inference_mode()
def test_what_cannot_be_recorded_runs_as_it_is_and_says_so(on_cpu: CpuDevice) -> None:
    network = video()
    looking: nn.Module = Looking(network.model, network.scale).eval().to(CUDA)
    device = CudaDevice(None, looking, clip_shape=CLIP, where=CUDA)
    (batch,) = clips(3)

    problems = device.prepare(buckets=(), max_batch=4)

    assert "nor recorded" in problems["video"]
    assert close(device.clips(fills_of(batch)), on_cpu.clips(fills_of(batch)))


@torch.inference_mode()
def test_text_and_video_side_by_side_give_what_they_give_in_turn(on_cpu: CpuDevice, on_gpu: CudaDevice) -> None:
    prepared(on_gpu)
    for turn in range(50):
        size = turn % 7 + 1
        (batch,), ids_and_mask, rows = clips(size), captions(size), range(size)

        def read(_rows: Sequence[int], asked: tuple[torch.Tensor, torch.Tensor] = ids_and_mask) -> list[TextOutput]:
            return [on_gpu.captions(*asked)]

        collect = on_gpu.ahead(read, rows)
        watched = on_gpu.clips(fills_of(batch))
        (said,) = collect(rows)

        assert close(watched, on_cpu.clips(fills_of(batch)))
        assert close(said, on_cpu.captions(*ids_and_mask))


@torch.inference_mode()
def test_a_second_engine_can_be_prepared_while_the_first_serves(on_cpu: CpuDevice, on_gpu: CudaDevice) -> None:
    prepared(on_gpu)
    (batch,) = clips(5)
    expected = on_cpu.clips(fills_of(batch))
    second = CudaDevice(text().to(CUDA), video().to(CUDA), clip_shape=CLIP, where=CUDA)
    rows = range(1)

    def serve(_rows: Sequence[int]) -> list[VideoOutput]:
        return [on_gpu.clips(fills_of(batch)) for _ in range(200)]

    collect = on_gpu.ahead(serve, rows)
    prepared(second)

    assert all(close(output, expected) for output in collect(rows))
    assert close(second.clips(fills_of(batch)), expected)
