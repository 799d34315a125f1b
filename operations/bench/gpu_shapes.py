"""Networks of published shapes on a GPU: what the worker makes of what the chip can do, beside the usual loop.

`clipwarden bench gpu` runs it; so does `python operations/bench/gpu_shapes.py --json` on any machine with this
checkout, torch, transformers and numpy: it measures the worker's own code, which needs no more. Weights are random,
nothing is downloaded. Every rate is from inputs in the host's memory to scores in the host's memory.
"""

import argparse
import copy
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers

if not __package__:
    # Run as a file: the product lies two folders up.
    sys.path.insert(0, str(Path(__file__).parents[2]))

from models.networks.adapters import HuggingFaceText, HuggingFaceVideo
from models.preprocess import PixelScale, normalise_pixels
from models.serving.cuda import CudaDevice
from models.serving.device import CpuDevice
from operations.bench.gpu_inputs import Captions, Clips
from operations.bench.gpu_models import CAPTION_TOKENS, PUBLISHED, TINY, Sizes, text_model, video_model

BATCHES = (1, 2, 4, 8, 16, 32, 64)
USUAL_BATCH = 16
MODES: dict[str, Callable[..., Any]] = {
    "default": torch.compile,
    "max-autotune": partial(torch.compile, mode="max-autotune-no-cudagraphs"),
    "none": lambda function: function,
}
"""What compiles; all are recorded."""
DEVICES = ("cuda", "cpu")
_SCALE = PixelScale((123.7, 116.3, 103.5), (58.4, 57.1, 57.4))

Scores = Callable[[], torch.Tensor]


@dataclass(frozen=True)
class Usual:
    """A plain loop over a Hugging Face model: its logits and its items/s; `resident_s` without moving the inputs."""

    logits: torch.Tensor
    fp32_s: float
    half_s: float
    resident_s: float


class GpuBench:
    """Measures on one device.

    Args:
        sizes: of the networks.
        device: cuda; on the CPU all but the recordings runs.
        compile_: one of MODES.
    """

    def __init__(self, sizes: Sizes, device: torch.device, *, compile_: Callable[..., Any] = torch.compile) -> None:
        self._sizes = sizes
        self._where = device
        self._compile = compile_
        self._clips = Clips(sizes.clip_shape, max(BATCHES))
        self._captions = {tokens: Captions(tokens, max(BATCHES), sizes.words) for tokens in CAPTION_TOKENS}
        self._limit_flops = 0.0
        if device.type == "cpu":
            torch.set_num_threads(1)

    def run(self) -> dict[str, object]:
        """Everything, for one JSON object."""
        video, text = video_model(self._sizes, self._where), text_model(self._sizes, self._where)
        with torch.inference_mode():
            self._limit_flops = matmul_flops(self._where, self._sizes)
            usual_video = self._usual_video(video)
            usual_texts = {tokens: self._usual_text(text, tokens) for tokens in CAPTION_TOKENS}
        started_s = time.perf_counter()
        device, problems = self._prepared(HuggingFaceText(text), HuggingFaceVideo(video, _SCALE))
        prepared_s = time.perf_counter() - started_s
        with torch.inference_mode():
            texts = {
                f"tokens_{tokens}": self._figures(
                    usual, self._sizes.text.flop(tokens), partial(self._read, device, tokens)
                )
                for tokens, usual in usual_texts.items()
            }
            return self._about() | {
                "matmul_tflops": round(self._limit_flops / 1e12, 3),
                "prepared_s": round(prepared_s, 1),
                "not_prepared": problems,
                "video": self._figures(usual_video, self._sizes.clip_flop, partial(self._watch, device)),
                "text": texts,
                "both": self._both(device),
            }

    def _about(self) -> dict[str, object]:
        return {
            "chip": torch.cuda.get_device_name(self._where) if self._where.type == "cuda" else "cpu",
            "date": datetime.now(UTC).date().isoformat(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        }

    def _figures(self, usual: Usual, flop: float, ours: Callable[[int], Scores]) -> dict[str, object]:
        error = logit_error(torch.logit(ours(USUAL_BATCH)()), usual.logits)
        by_batch = {size: self._rate(ours(size), size) for size in BATCHES}
        best = max(by_batch.values())
        return {
            "items_s": round(best, 1),
            "fraction_of_limit": round(best * flop / self._limit_flops, 4),
            "vs_hf_fp32": round(best / usual.fp32_s, 2),
            "vs_hf_fp16": round(best / usual.half_s, 2),
            "hf_fp32_s": round(usual.fp32_s, 1),
            "hf_fp16_s": round(usual.half_s, 1),
            "hf_fp16_inputs_on_the_device_s": round(usual.resident_s, 1),
            "logit_error": float(f"{error:.2g}"),
            "by_batch": {str(size): round(rate, 1) for size, rate in by_batch.items()},
        }

    def _both(self, device: CpuDevice | CudaDevice) -> dict[str, float]:
        """Posts of a clip and a caption, in the worker's order: text is begun, clips computed, text collected."""
        tokens, rows = CAPTION_TOKENS[0], range(USUAL_BATCH)
        watch, read = self._watch(device, USUAL_BATCH), self._read(device, tokens, USUAL_BATCH)

        def overlapped() -> object:
            collect = device.ahead(lambda _rows: [read()], rows)
            return watch(), collect(rows)

        together, in_turn = (self._rate(run, USUAL_BATCH) for run in (overlapped, lambda: (watch(), read())))
        flop = self._sizes.clip_flop + self._sizes.text.flop(tokens)
        return {
            "posts_s": round(together, 1),
            "posts_in_turn_s": round(in_turn, 1),
            "fraction_of_limit": round(together * flop / self._limit_flops, 4),
        }

    def _watch(self, device: CpuDevice | CudaDevice, size: int) -> Scores:
        fills = self._clips.fills(size)
        return lambda: device.clips(fills).probabilities.float().cpu()

    def _read(self, device: CpuDevice | CudaDevice, tokens: int, size: int) -> Scores:
        captions = self._captions[tokens].batch(size)
        return lambda: device.captions(*captions).probabilities.float().cpu()

    def _prepared(
        self, text: HuggingFaceText, video: HuggingFaceVideo
    ) -> tuple[CpuDevice | CudaDevice, dict[str, str]]:
        """The worker's device over both networks, in the precision it chooses on a GPU."""
        for network in (text, video):
            network.to(self._where, torch.bfloat16)
        if self._where.type == "cpu":
            return CpuDevice(text, video, clip_shape=self._sizes.clip_shape), {}
        device = CudaDevice(text, video, clip_shape=self._sizes.clip_shape, where=self._where)
        return device, device.prepare(buckets=CAPTION_TOKENS, max_batch=max(BATCHES), compile_=self._compile)

    def _usual_video(self, model: Any) -> Usual:  # noqa: ANN401 - transformers' model
        """From what the image processor leaves: its own time is not counted."""
        pixels = normalise_pixels(self._clips.batch(USUAL_BATCH), _SCALE).contiguous()
        return self._usual(model, {"pixel_values": pixels})

    def _usual_text(self, model: Any, tokens: int) -> Usual:  # noqa: ANN401 - transformers' model
        ids, mask = self._captions[tokens].batch(USUAL_BATCH)
        return self._usual(model, {"input_ids": ids, "attention_mask": mask})

    def _usual(self, model: Any, inputs: dict[str, torch.Tensor]) -> Usual:  # noqa: ANN401 - transformers' model
        half = copy.deepcopy(model).to(torch.float16 if self._where.type == "cuda" else torch.bfloat16)

        def moved(dtype: torch.dtype) -> dict[str, torch.Tensor]:
            return {
                name: value.to(self._where, dtype if value.is_floating_point() else value.dtype)
                for name, value in inputs.items()
            }

        def scores(it: Any, there: dict[str, torch.Tensor] | None = None) -> torch.Tensor:  # noqa: ANN401
            logits: torch.Tensor = it(**(there or moved(it.dtype))).logits.cpu()
            return logits

        runs = (partial(scores, model), partial(scores, half), partial(scores, half, moved(half.dtype)))
        return Usual(scores(model), *(self._rate(run, USUAL_BATCH) for run in runs))

    def _rate(self, run: Callable[[], object], items: int) -> float:
        """Items/s; a run ends when its scores are on the host."""
        for _ in range(3):
            run()
        done, started_s = 0, time.perf_counter()
        while (took_s := time.perf_counter() - started_s) < self._sizes.seconds:
            run()
            done += items
        return done / took_s


def logit_error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest error of an item (B, L), as a share of that item's largest logit."""
    return float(((ours - theirs).abs().amax(1) / theirs.abs().amax(1)).max())


def matmul_flops(device: torch.device, sizes: Sizes) -> float:
    """Operations/s of a large square product in bfloat16, on random numbers: what no network on this chip can pass."""
    side = sizes.matmul_side
    left, right = (torch.randn(side, side, dtype=torch.bfloat16, device=device) for _ in range(2))
    return max(_product_flops(left, right) for _ in range(5))


def _product_flops(left: torch.Tensor, right: torch.Tensor, times: int = 10) -> float:
    _settle(left.device)
    started_s = time.perf_counter()
    for _ in range(times):
        torch.matmul(left, right)
    _settle(left.device)
    return times * 2 * len(left) ** 3 / (time.perf_counter() - started_s)


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    """Print the figures as one JSON object."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--device", default=DEVICES[0], choices=DEVICES)
    arguments.add_argument("--tiny", action="store_true", help="networks of no size, to see that it runs")
    arguments.add_argument("--compile", default="default", choices=tuple(MODES))
    arguments.add_argument("--json", action="store_true", help="on one line")
    given = arguments.parse_args()
    bench = GpuBench(TINY if given.tiny else PUBLISHED, torch.device(given.device), compile_=MODES[given.compile])
    sys.stdout.write(json.dumps(bench.run(), indent=None if given.json else 1) + "\n")


if __name__ == "__main__":
    main()
