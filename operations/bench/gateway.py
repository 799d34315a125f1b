"""bench gateway: a large upload beside a raw put of the same bytes into S3, and what 200 callers at once are told."""

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import DependencyError
from core.storage.items import ItemState
from core.storage.ledger_pg import PostgresLedger
from core.storage.media import S3Media
from operations.bench.callers import ACCEPTED, BenchGateway, Crowd, large_clip, small_clip, started
from operations.bench.site import BenchSite, bench_site
from operations.seat import screen
from operations.state import Plan

TARGET_RATIO = 0.6
TARGET_RSS_MB = 150
CALLERS = 200
SMALL_BYTES = 1_000_000
SERVER_ERROR = 500


@dataclass(frozen=True)
class _Shot:
    """MB/s of one turn."""

    raw: float
    gateway: float


def bench_gateway(nbytes: int, rounds: int) -> dict[str, object]:
    """Both in turns, on the same servers, each time with other bytes; then the callers, on a gateway of their own."""
    with bench_site(Plan()) as site:
        with _gateway(site, nbytes) as gateway:
            shots = [_shot(site, gateway, nbytes) for _ in range(rounds)]
            large = gateway.peaks_mb()
        screen.print(f"[dim]now {CALLERS} callers at once[/]")
        with _gateway(site, SMALL_BYTES) as gateway:
            told = Crowd(gateway, small_clip(site.root), SMALL_BYTES).rush(CALLERS)
            crowd = gateway.peaks_mb()
        posted = _posted(site)
    return {
        "bench": "gateway",
        "bytes": nbytes,
        "rounds": rounds,
        "gateway_mb_per_s": round(statistics.median(shot.gateway for shot in shots), 1),
        "baseline_s3_put_mb_per_s": round(statistics.median(shot.raw for shot in shots), 1),
        "ratio_to_baseline": round(statistics.median(shot.gateway / shot.raw for shot in shots), 2),
        "target_ratio": TARGET_RATIO,
        "gateway_peak_rss_mb": round(large.gateway),
        "decoder_peak_rss_mb": round(large.decoders),
        "target_rss_mb": TARGET_RSS_MB,
        "callers": CALLERS,
        "callers_first_answers": _counted(told.first),
        "callers_server_errors": sum(count for status, count in told.all.items() if status >= SERVER_ERROR),
        "callers_taken_in_the_end": told.taken,
        "callers_lost": CALLERS - (posted - rounds),
        "callers_peak_rss_mb": round(crowd.gateway),
    }


def _shot(site: BenchSite, gateway: BenchGateway, nbytes: int) -> _Shot:
    with large_clip(site.root, nbytes) as clip:
        raw_s = _raw_put_s(site, clip)
        started_s = time.perf_counter()
        status = gateway.upload(clip)
        took_s = time.perf_counter() - started_s
    if status != ACCEPTED:
        raise DependencyError(f"the gateway answered {status} to the upload; see its messages above")
    screen.print(f"[dim]raw {nbytes / 1e6 / raw_s:.0f} MB/s, gateway {nbytes / 1e6 / took_s:.0f} MB/s[/]")
    return _Shot(nbytes / 1e6 / raw_s, nbytes / 1e6 / took_s)


def _raw_put_s(site: BenchSite, clip: Path) -> float:
    store, bucket = S3Media(site.settings.media), site.settings.media.bucket
    started_s = time.perf_counter()
    store.put_file(bucket, "raw", clip, "video/mp4")
    took_s = time.perf_counter() - started_s
    store.remove(bucket, "raw")
    return took_s


@contextmanager
def _gateway(site: BenchSite, nbytes: int) -> Iterator[BenchGateway]:
    with started(site, max_bytes=2 * nbytes) as gateway:
        yield gateway


def _posted(site: BenchSite) -> int:
    with closing(PostgresLedger(site.settings.store)) as ledger:
        return sum(count.items for count in ledger.counts() if count.state is ItemState.POSTED)


def _counted(answers: Counter[int]) -> dict[str, int]:
    return {str(status): count for status, count in sorted(answers.items())}
