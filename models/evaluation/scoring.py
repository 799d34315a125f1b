"""Rows → probabilities as served: the served tokenizer and decoder, the network of the folder."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from core.media.decode import decode_clip
from core.media.protocol import ClipTarget, MediaLimits
from models.evaluation.model import Model
from models.networks.loading import clip_spec, read_tokenizer
from models.training.captions import Ids, encode, pad

Progress = Callable[[str, int, int], None]
"""Told what is being scored, how many rows are done, and of how many."""

_BATCH = 128
_LIMITS = MediaLimits(max_bytes=500_000_000, max_pixels=4096 * 2304, max_duration_s=600.0, min_distinct_frames=2)


def no_progress(_what: str, _done: int, _of: int) -> None:
    """Tell nobody."""


def encode_captions(model: Model, texts: Sequence[str]) -> Ids:
    """Captions as ids, cut as served."""
    tokenizer_json, max_tokens = read_tokenizer(model.folder, model.loaded.config)
    tokenizer = Tokenizer.from_buffer(tokenizer_json)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return encode(tokenizer, texts)


def score_captions(model: Model, texts: Sequence[str], progress: Progress = no_progress) -> NDArray[np.float64]:
    """(N,) probabilities of harm of captions."""
    ids = encode_captions(model, texts)
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    harm = np.empty(len(ids))
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        with torch.inference_mode():
            harm[rows] = model.harm(model.loaded.network(*pad([ids[row] for row in rows])).probabilities.numpy())
        progress(f"captions through {model.name}", start + len(rows), len(order))
    return harm


def score_clips(model: Model, paths: Sequence[Path], progress: Progress = no_progress) -> NDArray[np.float64]:
    """(N,) probabilities of harm of clips.

    Raises:
        MediaError: a clip cannot be decoded.
    """
    target = _target(model)
    harm = np.empty(len(paths))
    for row, path in enumerate(paths):
        clip = np.empty(target.shape, dtype=np.uint8)
        decode_clip(path, target, _LIMITS, out=clip)
        with torch.inference_mode():
            out = model.loaded.network(torch.from_numpy(clip).unsqueeze(0))
        harm[row] = model.harm(out.probabilities.numpy())[0]
        progress(f"clips through {model.name}", row + 1, len(paths))
    return harm


def _target(model: Model) -> ClipTarget:
    spec = clip_spec(model.folder, model.loaded.config)
    return ClipTarget(spec.num_frames, spec.size_px, spec.resize)
