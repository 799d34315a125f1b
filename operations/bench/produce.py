"""bench produce: a folder of videos into the platform, beside the rate at which the same bytes can be put into S3."""

import os
import shutil
import statistics
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.storage.media import S3Media
from operations.bench.site import BenchSite, bench_site
from operations.commands.produce import produce_files
from operations.demo.render import render_clips
from operations.seat import screen
from operations.state import Plan

TARGET_RATIO = 0.6
PUT_THREADS = (1, 4)
"""The baseline is the faster of these: it may use the store as well as produce does."""


def bench_produce(files: int, megabytes: int, rounds: int) -> dict[str, object]:
    """Both in turns, on the same servers; each file has its own bytes, so that nothing is a repeat."""
    with TemporaryDirectory(prefix="clipwarden-produce-") as folder, bench_site(Plan()) as site:
        shots = [
            _round(site, _fill(Path(folder) / str(number), files, megabytes * 1_000_000)) for number in range(rounds)
        ]
    produced, put = (statistics.median(shot[at] for shot in shots) for at in (0, 1))
    return {
        "bench": "produce",
        "files": files,
        "file_mb": megabytes,
        "rounds": rounds,
        "produce_mb_per_s": round(produced, 1),
        "videos_per_s": round(produced / megabytes, 1),
        "baseline_s3_put_mb_per_s": round(put, 1),
        "ratio_to_baseline": round(statistics.median(one / other for one, other in shots), 2),
        "target_ratio": TARGET_RATIO,
    }


def _round(site: BenchSite, clips: Sequence[Path]) -> tuple[float, float]:
    """MB/s of produce, and of the best raw put."""
    total_mb = sum(clip.stat().st_size for clip in clips) / 1e6
    store = S3Media(site.settings.media)
    put_s = min(_took_s(lambda threads=threads: _put(store, site, clips, threads)) for threads in PUT_THREADS)
    produced_s = _took_s(lambda: _produce(site, clips))
    return total_mb / produced_s, total_mb / put_s
