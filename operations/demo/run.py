"""One demo run: platform up, clips posted, verdicts followed, an account at the end."""

import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from core.clock import SystemClock
from core.settings import Settings
from core.storage.items import ItemState
from core.storage.live import RedisLive
from ingestion.feed import Feed, feeding, this_host
from ingestion.posts import Post, item_of
from operations.audit import Audit, audit
from operations.demo.board import Board
from operations.producing import BATCH, TOOL

QUIET_LIMIT_S = 120.0
"""The run gives up when no further verdict came for this long."""

Item = tuple[Path, Post]


@dataclass
class DemoRun:
    """Posts clips into a running platform and watches what comes out."""

    settings: Settings
    board: Board

    def post(self, items: Sequence[Item], *, rate: float, stop: threading.Event) -> list[str]:
        """Post at the rate; returns the video_ids the broker confirmed."""
        posted: list[str] = []
        started_s = time.monotonic()
        at_once = 1 if rate else BATCH
        with feeding(self.settings) as feed:
            for start in range(0, len(items), at_once):
                if stop.wait(max(0.0, started_s + start / rate - time.monotonic()) if rate else 0):
                    break
                posted += self._take(feed, items[start : start + at_once])
                self.board.posted(len(posted), len(items))
        return posted

    def _take(self, feed: Feed, items: Sequence[Item]) -> list[str]:
        now = SystemClock().now()
        taken = feed.take([item_of(path, post, host=this_host(), tool=TOOL, now=now) for path, post in items])
        feed.send()
        for (path, _), one in zip(items, taken, strict=True):
            if one.item.code:
                self.board.refused(path, f"{one.item.code}: {one.item.message}")
        return [one.item.video_id or "" for one in taken if one.item.state is ItemState.POSTED]

    def wait_for(self, posted: Sequence[str]) -> Audit:
        """Wait until every posted video has its verdict, or none came for a long while."""
        seen, quiet_since_s = -1, time.monotonic()
        while True:
            account = audit(self.settings.store, posted)
            if account.lost == 0:
                return account
            if account.verdicts != seen:
                seen, quiet_since_s = account.verdicts, time.monotonic()
            if time.monotonic() - quiet_since_s > QUIET_LIMIT_S:
                return account
            time.sleep(0.2)

    def follow(self, live: RedisLive) -> None:
        """Tell the board of every verdict of this run until the view is closed."""
        started_at = SystemClock().now()
        for verdict in live.follow(alerts_only=False):
            if verdict.event_time > started_at:
                self.board.decided(verdict)


def summary(account: Audit, posted_to_alert_s: Sequence[float]) -> dict[str, object]:
    """The account as `--json` prints it."""
    body = asdict(account)
    span_s = body.pop("span_s")
    body["posted_to_alert_s"] = percentiles(posted_to_alert_s)
    body["videos_per_s"] = round(account.verdicts / span_s, 2) if span_s else None
    return body


def percentiles(samples_s: Sequence[float]) -> dict[str, float | None]:
    """p50, p95 and p99; None without samples."""
    if not samples_s:
        return {"p50": None, "p95": None, "p99": None}
    values = np.percentile(np.asarray(samples_s), [50, 95, 99])
    return {name: round(float(value), 3) for name, value in zip(("p50", "p95", "p99"), values, strict=True)}
