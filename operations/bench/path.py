"""bench path: real clips through everything, beside one video at a time with the usual parts and the same models."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from core.clock import SystemClock
from core.events import VideoPosted
from core.media.cage import Cage
from core.settings import Settings
from core.storage.history import TimescaleHistory
from core.storage.media import S3Media
from ingestion.intake import Intake, Post
from ingestion.kafka import EventProducer
from operations.audit import Audit, audit
from operations.bench.baseline import Baseline
from operations.bench.site import BenchSite, bench_site
from operations.demo import posts
from operations.demo.run import percentiles
from operations.seat import screen
from operations.state import Plan

WARM_UP = 8
BASELINE_CLIPS = 24
TIMEOUT_S = 600.0
STAGES = {"core.media.child": "decode", "models.serving": "infer", "bytewax.run": "flow"}

Item = tuple[Path, Post]


@dataclass(frozen=True)
class _Run:
    account: Audit
    latency_s: list[float]
    cpu_s: Mapping[str, float]


def bench_path(clips: int, data: Path | None) -> dict[str, object]:
    """Saturate, then run at half of that rate for latency, then the baseline over the same clips."""
    cores = psutil.cpu_count() or 1
    with bench_site(Plan(worker=True, flows=1)) as site:
        script = (
            posts.paired(data, clips, run="bench") if data else posts.rendered(site.root / "clips", clips, run="bench")
        )
        screen.print(f"[dim]warming up, then {clips} clips at full speed[/]")
        _run(site, _named(script.posts[:WARM_UP], "warm"), rate=0)
        full = _run(site, _named(script.posts, "full"), rate=0)
        videos_per_s = full.account.verdicts / (full.account.span_s or 1)
        screen.print(f"[dim]{videos_per_s:.1f} videos/s; now at half load[/]")
        half = _run(site, _named(script.posts, "half"), rate=videos_per_s / 2)
        screen.print("[dim]the baseline: one video at a time[/]")
        baseline = _baseline(site.settings, script.posts[:BASELINE_CLIPS])
    per_clip_s = {stage: spent / clips for stage, spent in full.cpu_s.items()}
    limit = cores / (per_clip_s["decode"] + per_clip_s["infer"])
    return {
        "bench": "path",
        "clips": clips,
        "cores": cores,
        "source": script.posts[0][1].source,
        "lost": full.account.lost + half.account.lost,
        "videos_per_s": round(videos_per_s, 2),
        "cpu_ms_per_clip": {stage: round(spent * 1e3, 1) for stage, spent in per_clip_s.items()},
        "limit_videos_per_s": round(limit, 2),
        "fraction_of_limit": round(videos_per_s / limit, 3),
        "baseline_videos_per_s": round(baseline, 2),
        "ratio_to_baseline": round(videos_per_s / baseline, 2),
        "half_load": {"rate_per_s": round(videos_per_s / 2, 2), "posted_to_verdict_s": percentiles(half.latency_s)},
    }


def _named(items: Sequence[Item], run: str) -> list[Item]:
    """Each run has its own videos: the same clip again would be a repeat."""
    return [
        (path, Post(post.caption, f"{post.video_id}-{run}", post.source, post.platform, post.language))
        for path, post in items
    ]


def _run(site: BenchSite, items: Sequence[Item], *, rate: float) -> _Run:
    """Upload first, so that only the path is measured; then send the events and wait for every verdict."""
    events = _upload(site, items)
    before = _cpu_s(site)
    producer = EventProducer(site.settings.kafka)
    started_s = time.monotonic()
    for number, event in enumerate(events):
        if rate:
            time.sleep(max(0.0, started_s + number / rate - time.monotonic()))
        producer.send(event.model_copy(update={"posted_at": SystemClock().now()}))
    producer.flush()
    ids = [event.video_id for event in events]
    account = _wait(site.settings, ids)
    spent = {stage: after - before.get(stage, 0.0) for stage, after in _cpu_s(site).items()}
    return _Run(account, _latencies(site.settings, ids), spent)


def _upload(site: BenchSite, items: Sequence[Item]) -> list[VideoPosted]:
    settings = site.settings
    cage = Cage(settings.decode)
    try:
        intake = Intake(
            S3Media(settings.media), EventProducer(settings.kafka), cage=cage, settings=settings, clock=SystemClock()
        )
        return [intake.store_file(path, post) for path, post in items]
    finally:
        cage.close()


def _wait(settings: Settings, ids: Sequence[str]) -> Audit:
    deadline_s = time.monotonic() + TIMEOUT_S
    while (account := audit(settings.store, ids)).lost and time.monotonic() < deadline_s:
        time.sleep(0.5)
    return account


def _latencies(settings: Settings, ids: Sequence[str]) -> list[float]:
    """Record timestamp to decision, per video."""
    query = "SELECT extract(epoch FROM decided_at - event_time) FROM videos WHERE video_id = ANY(%s)"
    with psycopg.connect(settings.store.dsn.get_secret_value()) as database:
        return [float(row[0]) for row in database.execute(query, [list(ids)]).fetchall()]


def _cpu_s(site: BenchSite) -> dict[str, float]:
    """CPU seconds so far of decoders, worker, flow, and of everything else the platform runs."""
    spent = dict.fromkeys([*STAGES.values(), "servers"], 0.0)
    for process in psutil.Process(site.pid_of_supervisor()).children(recursive=True):
        try:
            times, command = process.cpu_times(), " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue
        stage = next((stage for name, stage in STAGES.items() if name in command), "servers")
        spent[stage] += times.user + times.system
    return spent


def _baseline(settings: Settings, items: Sequence[Item]) -> float:
    """Videos per second of the baseline, over objects that lie in the store already."""
    history = TimescaleHistory(settings.store)
    baseline = Baseline(S3Media(settings.media), history, settings=settings)
    bucket = settings.media.bucket
    baseline.score(*_object(items[0]), bucket=bucket)
    started_s = time.perf_counter()
    for item in items:
        baseline.score(*_object(item), bucket=bucket)
    elapsed_s = time.perf_counter() - started_s
    history.close()
    return len(items) / elapsed_s


def _object(item: Item) -> tuple[str, str]:
    path, post = item
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"videos/{digest[:2]}/{digest}", post.caption or ""
