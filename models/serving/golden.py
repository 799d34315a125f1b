"""Known inputs: what a folder's models computed for them when saved, they must compute when loaded to serve."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from core.errors import ConfigError
from core.labels import Modality
from core.media.protocol import Resize
from models.bundle import Bundle
from models.client import InferResult
from models.serving.batcher import text_bucket, text_buckets
from models.serving.engine import TorchEngine, difference
from models.serving.job import Job
from models.spec import ClipSpec, ServedModels

FILE_NAME = "golden.json"
EXACT, ROUNDED = 0.01, 0.05
"""Tolerances on probabilities: for float32 on any machine, and for bfloat16 (0.023 measured on the starter models)."""

_LENGTHS = (7, 16)
_SEED = 20_260_101
_NO_CLIP = ClipSpec(num_frames=1, size_px=8, resize=Resize.STRETCH)


@dataclass(frozen=True)
class ArrayClip:
    """A clip in memory."""

    body: bytes

    def read_into(self, out: memoryview) -> None:
        """Copy the whole clip."""
        out[:] = self.body


def golden_jobs(served: ServedModels, vocabulary: int) -> list[Job]:
    """The same captions and clips on every machine, for models of these sizes."""
    random = np.random.default_rng(_SEED)
    buckets = text_buckets(served.max_tokens)
    jobs = []
    for length in _LENGTHS:
        ids = tuple(int(number) for number in random.integers(0, max(vocabulary, 1), min(length, served.max_tokens)))
        frames = random.integers(0, 256, served.clip.shape, dtype=np.uint8)
        jobs.append(Job(ids or None, ArrayClip(frames.tobytes()), text_bucket(len(ids), buckets)))
    return jobs


def alone(bundle: Bundle, modality: Modality) -> Bundle:
    """One network by itself, so that its known outputs hold whatever is served beside it; fusion is never alone."""
    served = bundle.served
    labels = {name: of for name, of in served.labels.items() if name == modality}
    if modality is Modality.TEXT:
        return Bundle(bundle.text, None, None, replace(served, clip=_NO_CLIP, labels=labels))
    if modality is Modality.VIDEO:
        return Bundle(None, bundle.video, None, replace(served, max_tokens=0, tokenizer_json=b"", labels=labels))
    return bundle


def check_finite(network: torch.nn.Module) -> None:
    """See that every weight is a number, also those that no known input reaches.

    Raises:
        ConfigError: one is not.
    """
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ConfigError(f"the weights {name} are not finite; train the model again")


def check_golden(engine: TorchEngine, folder: Path, *, tolerance: float = EXACT) -> None:
    """See that the models compute what they did when saved, and remember it.

    Raises:
        ConfigError: they do not, or compute no probabilities at all.
    """
    results = engine.remember(golden_jobs(engine.served, engine.vocabulary))
    path = folder / FILE_NAME
    if not path.is_file():
        return
    if wrong := difference(_read(path), results, tolerance=tolerance):
        raise ConfigError(f"the models in {folder} do not compute what they did when saved ({wrong}); save them again")


def write_golden(bundle: Bundle, folder: Path) -> Path:
    """Note beside saved models what they compute, on the CPU in float32; to be called by whoever saves them."""
    engine = TorchEngine(bundle.to("cpu"))
    results = engine.remember(golden_jobs(engine.served, engine.vocabulary))
    outputs = [{modality.value: getattr(result, modality.value) for modality in Modality} for result in results]
    path = folder / FILE_NAME
    path.write_text(json.dumps({"version": 1, "outputs": outputs}, indent=1) + "\n", encoding="utf-8")
    return path


def _read(path: Path) -> Sequence[InferResult]:
    try:
        outputs = json.loads(path.read_text(encoding="utf-8"))["outputs"]
        results = [
            InferResult("", **{modality.value: row.get(modality.value) for modality in Modality}) for row in outputs
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{path} cannot be read ({error!r}); save the models again") from error
    if len(results) != len(_LENGTHS):
        raise ConfigError(f"{path} holds {len(results)} outputs, not {len(_LENGTHS)}; save the models again")
    return results
