"""bench ingest: links through the ledger while its workers are killed -9 again and again, and an account of each."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.errors import PlatformError
from core.settings import process_environment
from core.storage.items import OPEN_STATES, Item, ItemState, NewItem, Sighting
from core.storage.ledger_pg import PostgresLedger
from core.storage.media import S3Media
from core.storage.memory import MemoryLive
from ingestion.erase import Eraser
from ingestion.orphans import orphans
from ingestion.search import TopicSearch
from operations.bench.ingest_site import bench_videos, of_video
from operations.bench.site import BenchSite, bench_site
from operations.demo.render import render_clips
from operations.seat import screen
from operations.state import Plan

SOURCE = "bench"
POLL_S = 0.25
LIMIT_S_PER_ITEM = 3.0
BATCH = 500
_BRIEF = {
    "CLIPWARDEN_INGESTION__LEASE_S": "5",
    "CLIPWARDEN_INGESTION__RETRY_S": "1",
    "CLIPWARDEN_INGESTION__DOWNLOAD_WORKERS": "4",
    "CLIPWARDEN_KAFKA__REQUEST_TIMEOUT_S": "5",
    "CLIPWARDEN_DECODE__CHILDREN": "1",
    "CLIPWARDEN_TELEMETRY__LOG_LEVEL": "warning",
}
"""What a dead worker held is taken over soon, and what failed is tried again soon."""


@dataclass
class _Crew:
    """Worker processes, of which the oldest is killed when its time is up."""

    site: BenchSite
    workers: list["subprocess.Popen[bytes]"]
    log: Path
    kills: int = 0

    def kill_one(self) -> None:
        """Kill -9 the one that lives longest, and start another."""
        oldest = self.workers.pop(0)
        oldest.kill()
        oldest.wait()
        self.kills += 1
        self.start()

    def start(self) -> None:
        """Start a worker."""
        with self.log.open("ab") as log:
            self.workers.append(
                subprocess.Popen(
                    [sys.executable, "-m", "operations.bench.ingest_worker"],
                    env={**process_environment(), **self.site.env, **_BRIEF},
                    cwd=self.site.root,
                    stdout=log,
                    stderr=log,
                )
            )


def bench_ingest(items: int, kill_every_s: float, *, workers: int = 2) -> dict[str, object]:
    """Find `items` links, let workers bring them in, kill -9 one every `kill_every_s` (0: none), and count.

    Raises:
        PlatformError: they were not done in a reasonable time.
    """
    with bench_site(Plan(worker=False, flows=0, dashboard=False)) as site, _videos(site) as address:
        ledger = PostgresLedger(site.settings.store)
        _find(ledger, address, items)
        screen.print(f"[dim]{items} links, {workers} workers[/]")
        began_s = time.monotonic()
        with _crew(site, workers) as crew:
            _until_done(ledger, crew, items, kill_every_s)
            seconds = time.monotonic() - began_s
        account = _account(site, ledger, items)
        ledger.close()
    return {
        "bench": "ingest",
        "items": items,
        "workers": workers,
        "kill_every_s": kill_every_s,
        "kills": crew.kills,
        "seconds": round(seconds, 1),
        "items_per_s": round(items / seconds, 1),
        **account,
    }


@contextmanager
def _videos(site: BenchSite) -> Iterator[str]:
    clip = render_clips(site.root / "clips")[0]
    with bench_videos(clip) as address:
        yield address


def _find(ledger: PostgresLedger, address: str, items: int) -> None:
    now = datetime.now(UTC)
    links = [f"{address}/{number}" for number in range(items)]
    for at in range(0, items, BATCH):
        ledger.found(
            [NewItem(f"link:{link}", Sighting(now, SOURCE, link=link), link=link) for link in links[at : at + BATCH]]
        )


@contextmanager
def _crew(site: BenchSite, count: int) -> Iterator[_Crew]:
    crew = _Crew(site, [], site.root / "workers.log")
    for _ in range(count):
        crew.start()
    try:
        yield crew
    finally:
        for worker in crew.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in crew.workers:
            worker.wait(60)


def _until_done(ledger: PostgresLedger, crew: _Crew, items: int, kill_every_s: float) -> None:
    began_s = next_kill_s = time.monotonic()
    limit_s = 60 + items * LIMIT_S_PER_ITEM
    while (left := _open(ledger)) or ledger.waiting_events().events:
        now_s = time.monotonic()
        if now_s - began_s > limit_s:
            tail = crew.log.read_text("utf-8", "replace")[-1000:]
            raise PlatformError(f"{left} items still open after {limit_s:.0f} s; the workers say: {tail}")
        # Not before the first item is done: however fast the machine, the first kill meets workers at work.
        if kill_every_s and left < items and now_s > next_kill_s:
            crew.kill_one()
            next_kill_s = now_s + kill_every_s
        time.sleep(POLL_S)


def _open(ledger: PostgresLedger) -> int:
    return sum(row.items for row in ledger.counts() if row.state in OPEN_STATES)


def _account(site: BenchSite, ledger: PostgresLedger, items: int) -> dict[str, object]:
    """What became of each item, by the ledger, by the topic and by the bucket."""
    known = ledger.items(items)
    sent = Counter(item_id for item_id, _ in TopicSearch(site.settings.kafka).events(after={}))
    posted = {item.item_id for item in known if item.state is ItemState.POSTED}
    media, bucket = S3Media(site.settings.media), site.settings.media.bucket
    Eraser(ledger, media, MemoryLive()).delete_doomed()
    must_be_zero = {
        "videos_missing": videos_of(items) - len(posted),
        "items_wrong": sum(not _is_right(item) for item in known) + items - len(known),
        "events_missing": len(posted - set(sent)),
        "events_doubled": sum(count > 1 for count in sent.values()),
        "events_unaccounted": len(set(sent) - posted),
        "objects_missing": len(posted) - sum(1 for _ in media.listed(bucket)),
        "orphan_objects": sum(1 for _ in orphans(ledger, media, bucket)),
    }
    return {
        "states": dict(Counter(item.state.value for item in known)),
        "codes": dict(Counter(item.code for item in known if item.code)),
        **must_be_zero,
        "is_exact": not any(must_be_zero.values()),
    }


def _is_right(item: Item) -> bool:
    """Whether an item ended as its link deserved, with a code if it did not come in."""
    number = int((item.link or "").rpartition("/")[2])
    if of_video(number) is None:
        return item.state is ItemState.REFUSED and item.code is not None
    # Of two with the same bytes, either may have come first.
    return item.state in {ItemState.POSTED, ItemState.REPEATED}


def videos_of(items: int) -> int:
    """How many different videos so many of the bench's links lead to."""
    return len({of_video(number) for number in range(items)} - {None})
