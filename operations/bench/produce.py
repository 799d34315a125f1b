"""bench produce: a folder of videos into the platform, beside the rate at which the same bytes can be put into S3."""

import os
import statistics
import struct
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from core.clock import SystemClock
from core.errors import DependencyError
from core.storage.media import S3Media
from ingestion.feed import feeding
from ingestion.posts import Post
from operations.bench.site import BenchSite, bench_site
from operations.demo.render import render_clips
from operations.producing import Account, Producing
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
    put_s = min(_took_s(partial(_put, site, clips, threads)) for threads in PUT_THREADS)
    return total_mb / _took_s(partial(_produce, site, clips)), total_mb / put_s


def _produce(site: BenchSite, clips: Sequence[Path]) -> None:
    account = Account()
    with feeding(site.settings) as feed:
        Producing(site.settings, feed, account, clock=SystemClock()).run([(clip, Post()) for clip in clips])
    if account.posted != len(clips):
        raise DependencyError(f"{account.posted} of {len(clips)} files were posted: {account.as_json()}")


def _put(site: BenchSite, clips: Sequence[Path], threads: int) -> None:
    store, bucket = S3Media(site.settings.media), site.settings.media.bucket
    with ThreadPoolExecutor(threads) as pool:
        put = partial(_put_one, store, bucket, threads)
        list(pool.map(put, clips))


def _put_one(store: S3Media, bucket: str, threads: int, clip: Path) -> None:
    store.put_file(bucket, f"raw/{threads}/{clip.parent.name}/{clip.name}", clip, "video/mp4")


def _took_s(work: Callable[[], None]) -> float:
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


def _fill(folder: Path, files: int, size_bytes: int) -> list[Path]:
    """Clips of one size, of which no two have the same bytes: a rendered clip and a box that players skip."""
    shots = [clip.read_bytes() for clip in render_clips(folder / "rendered")]
    clips = []
    for number in range(files):
        shot, clip = shots[number % len(shots)], folder / f"{number:04}.mp4"
        rest_bytes = max(16, size_bytes - len(shot))
        clip.write_bytes(shot + struct.pack(">I4s", rest_bytes, b"free") + os.urandom(rest_bytes - 8))
        clips.append(clip)
    return clips
