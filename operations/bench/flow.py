"""bench flow: events/s through the real broker and the real sinks with null decode and null infer, and its memory."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import psutil
import psycopg

from core.events import VideoPosted
from core.settings import process_environment
from ingestion.kafka import EventProducer
from operations.bench.bare_flow import COUNT_VARIABLE
from operations.bench.site import BenchSite, bench_site
from operations.seat import screen
from operations.state import Plan

TIMEOUT_S = 600.0
MARK_EVERY_S = 0.25
SETTLED = 0.2
"""Memory is compared from this share of the events on: before, caches fill."""


class _Mark(NamedTuple):
    """How far the flow was at an instant, and what it had used."""

    at_s: float
    events: int
    rss_mb: float
    cpu_s: float


def bench_flow(events: int) -> dict[str, object]:
    """Produce, then score with everything real but the models; then the bare copy over the same records."""
    with bench_site(Plan()) as site:
        screen.print(f"[dim]producing {events} events[/]")
        _produce(site, events)
        screen.print("[dim]scoring them[/]")
        before = site.cpu_s()
        marks = _score(site, events)
        spent = {name: after - before[name] for name, after in site.cpu_s().items()}
        screen.print("[dim]the bare copy, for comparison[/]")
        bare = events / _copy(site, events)
    first, last = marks[0], marks[-1]
    settled = next(mark for mark in marks if mark.events >= events * SETTLED)
    rate = events / (last.at_s - first.at_s)
    spent["flow"] = last.cpu_s - first.cpu_s
    return {
        "bench": "flow",
        "events": events,
        "events_per_s": round(rate),
        "bare_copy_events_per_s": round(bare),
        "ratio_to_bare_copy": round(rate / bare, 3),
        "cpu_us_per_event": {name: round(seconds / events * 1e6) for name, seconds in spent.items()},
        "rss_mb": {
            "settled": round(settled.rss_mb, 1),
            "end": round(last.rss_mb, 1),
            "growth": round(last.rss_mb / settled.rss_mb - 1, 3),
        },
    }


def _produce(site: BenchSite, events: int) -> None:
    producer = EventProducer(site.settings.kafka)
    now = datetime.now(UTC)
    for number in range(events):
        producer.send(
            VideoPosted(
                schema_="video.posted.v1",
                video_id=f"bench:{number}",
                caption=f"a caption of ordinary length, number {number}, with a few more words in it",
                platform="bench",
                language="en",
                posted_at=now,
                source="bench",
            )
        )
    producer.flush()


def _score(site: BenchSite, events: int) -> list[_Mark]:
    """Marks from the last one without any event to the one with all: what starting costs is not in them."""
    marks: list[_Mark] = []
    deadline_s = time.monotonic() + TIMEOUT_S
    dsn = site.settings.store.dsn.get_secret_value()
    with _flow(site, "operations.bench.null_flow") as flow, psycopg.connect(dsn, autocommit=True) as database:
        while not marks or marks[-1].events < events:
            mark = _mark(flow, database)
            marks = [*marks, mark] if mark.events else [mark]
            if mark.at_s > deadline_s or flow.poll() is not None:
                raise RuntimeError(f"the flow stopped at {mark.events} of {events} events")
            time.sleep(MARK_EVERY_S)
    return marks


def _mark(flow: "subprocess.Popen[str]", database: psycopg.Connection) -> _Mark:
    row = database.execute("SELECT count(*) FROM sightings").fetchone()
    process = psutil.Process(flow.pid)
    return _Mark(
        time.monotonic(),
        int(row[0]) if row else 0,
        process.memory_info().rss / 1e6,
        sum(process.cpu_times()[:2]),
    )


def _copy(site: BenchSite, events: int) -> float:
    with _flow(site, "operations.bench.bare_flow", {COUNT_VARIABLE: str(events)}) as flow:
        if flow.stdout is None:
            raise RuntimeError("no pipe")
        return float(flow.stdout.readline())


@contextmanager
def _flow(site: BenchSite, module: str, more: dict[str, str] | None = None) -> Iterator["subprocess.Popen[str]"]:

    with (site.root / "flow.log").open("a") as log:
        flow = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "bytewax.run", module],
            env={**process_environment(), **site.env, **(more or {})},
            cwd=site.root,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield flow
        finally:
            flow.kill()
            flow.wait()
