"""bench decode: CPU per clip of the platform's decoder beside decoding every frame."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from core.media.decode import MediaLimits, decode_clip
from core.media.protocol import ClipTarget
from core.settings import DecodeSettings
from models.bundle import STARTER, load_bundle
from operations.bench.baseline import decode_every_frame


def bench_decode(paths: Sequence[Path], settings: DecodeSettings) -> dict[str, object]:
    """The same clips, decoded by both in turn on one thread."""
    spec = load_bundle(STARTER).served.clip
    target = ClipTarget(spec.num_frames, spec.size_px, spec.resize.value)
    limits = MediaLimits(
        max_bytes=settings.max_bytes,
        max_pixels=settings.max_pixels,
        max_duration_s=settings.max_duration_s,
        min_distinct_frames=settings.min_distinct_frames,
    )
    out = np.empty(target.shape, np.uint8)
    ours = _cpu_ms(paths, lambda path: decode_clip(path, target, limits, out=out))
    naive = _cpu_ms(paths, lambda path: decode_every_frame(path, spec.num_frames))
    return {
        "bench": "decode",
        "clips": len(paths),
        "cpu_ms_per_clip": round(ours, 2),
        "baseline_cpu_ms_per_clip": round(naive, 2),
        "ratio_to_baseline": round(naive / ours, 2),
    }


def _cpu_ms(paths: Sequence[Path], decode: Callable[[Path], object]) -> float:
    decode(paths[0])
    started_s = time.process_time()
    for path in paths:
        decode(path)
    return (time.process_time() - started_s) / len(paths) * 1e3
