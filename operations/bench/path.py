"""bench path: real clips through everything, beside one video at a time with the usual parts and the same models."""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from ingestion.kafka import EventProducer
from ingestion.posts import Post
from operations.audit import Audit, audit
from operations.bench.baseline import Baseline
from operations.bench.intake import Intake
from operations.bench.site import BenchSite, bench_site
from operations.demo import posts
from operations.demo.run import percentiles
from operations.seat import screen
from operations.state import Plan

WARM_UP = 8
BASELINE_CLIPS = 24
TIMEOUT_S = 600.0
DECODER = "core.media.child"
CORES = psutil.cpu_count() or 1

Item = tuple[Path, Post]


@dataclass(frozen=True)
class _Run:
    account: Audit
    latency_s: list[float]
    cpu_s: Mapping[str, float]
    stolen: float

    @property
    def videos_per_s(self) -> float:
        """From the first record to the last decision."""
        return self.account.verdicts / (self.account.span_s or 1)


def bench_path(clips: int, data: Path | None, processes: Sequence[int] = (1,)) -> dict[str, object]:
    """Each number of flows at full speed; the first at half of its rate as well, for latency, before the baseline."""
    first, *more = processes
    with _site(first, clips, data) as (site, items):
        full = _saturate(site, items)
        screen.print(f"[dim]{full.videos_per_s:.1f} videos/s; now at half load[/]")
        half = _run(site, _named(items, "half"), rate=full.videos_per_s / 2)
        screen.print("[dim]the baseline: one video at a time[/]")
        baseline = _baseline(site.settings, items[:BASELINE_CLIPS])
    rows = {first: _row(full, clips)}
    for count in more:
        with _site(count, clips, data) as (site, items):
            rows[count] = _row(_saturate(site, items), clips)
    return {
        "bench": "path",
        "clips": clips,
        "cores": CORES,
        "source": items[0][1].source,
        **rows[first],
        "lost": full.account.lost + half.account.lost,
        "baseline_videos_per_s": round(baseline, 2),
        "ratio_to_baseline": round(full.videos_per_s / baseline, 2),
        "half_load": {
            "rate_per_s": round(full.videos_per_s / 2, 2),
            "posted_to_verdict_s": percentiles(half.latency_s),
        },
        "processes": {str(count): row for count, row in rows.items()},
    }


@contextmanager
def _site(flows: int, clips: int, data: Path | None) -> Iterator[tuple[BenchSite, Sequence[Item]]]:
    """A platform of its own for each number of flows, and what to post on it."""
    with bench_site(Plan(worker=True, flows=flows)) as site:
        script = (
            posts.paired(data, clips, run="bench") if data else posts.rendered(site.root / "clips", clips, run="bench")
        )
        yield site, script.posts


def _saturate(site: BenchSite, items: Sequence[Item]) -> _Run:
    screen.print(f"[dim]warming up, then {len(items)} clips at full speed[/]")
    _run(site, _named(items[:WARM_UP], "warm"), rate=0)
    return _run(site, _named(items, "full"), rate=0)


def _row(run: _Run, clips: int) -> dict[str, object]:
    """What decode and infer alone would allow on these cores, and what became of the rest."""
    per_clip_s = {stage: spent / clips for stage, spent in run.cpu_s.items()}
    limit = CORES / (per_clip_s["decode"] + per_clip_s["infer"])
    return {
        "lost": run.account.lost,
        "videos_per_s": round(run.videos_per_s, 2),
        "cpu_ms_per_clip": {stage: round(spent * 1e3, 1) for stage, spent in per_clip_s.items()},
        "limit_videos_per_s": round(limit, 2),
        "fraction_of_limit": round(run.videos_per_s / limit, 3),
        "cores_busy": round(sum(per_clip_s.values()) * run.videos_per_s / CORES, 3),
        "cores_stolen": round(run.stolen, 3),
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
    before, stolen_before_s = _cpu_s(site), _stolen_s()
    producer = EventProducer(site.settings.kafka)
    started_s = time.monotonic()
    for number, event in enumerate(events):
        if rate:
            time.sleep(max(0.0, started_s + number / rate - time.monotonic()))
        producer.send(event.model_copy(update={"posted_at": SystemClock().now()}))
    producer.flush()
    ids = [event.video_id for event in events]
    account = _wait(site.settings, ids)
    spent = {stage: after - before[stage] for stage, after in _cpu_s(site).items()}
    stolen = (_stolen_s() - stolen_before_s) / (CORES * (time.monotonic() - started_s))
    return _Run(account, _latencies(site.settings, ids), spent, stolen)


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
    """CPU seconds so far of decoders, worker, flows, and of each server of the platform."""
    decode_s = sum(map(_decoding_s, psutil.Process(site.pid_of_supervisor()).children(recursive=True)))
    spent = {"decode": decode_s, "infer": 0.0, "flow": -decode_s}
    for name, cpu_s in site.cpu_s().items():
        stage = "infer" if name == "worker" else "flow" if name.startswith("flow-") else name
        spent[stage] = spent.get(stage, 0.0) + cpu_s
    return spent


def _stolen_s() -> float:
    """What a hypervisor gave to others while something here could have run; 0 on bare metal."""
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


def _decoding_s(process: psutil.Process) -> float:
    """A decoder child's CPU; 0 of any other process. The supervisor counts it as its flow's."""
    try:
        times, command = process.cpu_times(), " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system) if DECODER in command else 0.0


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
