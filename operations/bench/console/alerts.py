"""From a harmful post's event to its alert on a screen: through broker, flow, worker, stores and live monitor."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from rich.progress import track
from selenium import webdriver

from core.clock import SystemClock
from core.errors import DependencyError
from core.events import VideoPosted
from core.media.cage import Cage
from core.settings import Settings
from core.storage.media import S3Media
from ingestion.kafka import EventProducer
from ingestion.posts import Post
from operations.bench.console.figures import ALERT, percentile
from operations.bench.console.served import Console
from operations.bench.filled_rows import RARE_WORDS
from operations.bench.intake import Intake
from operations.bench.site import bench_site
from operations.browser import chromium
from operations.demo.render import render_clips
from operations.seat import screen
from operations.state import Plan

CAPTION = "shut up, idiot"
"""What the shipped text model flags; a word of each post's own follows, or all of them would be one card."""
WARM_UP = 8
LAST_S = 90.0
"""An alert that is not there so long after the last event is not shown at all."""
# The page itself says it the moment an element comes: to ask again and again would be part of the time.
_WATCH = """
const wanted = new Set(arguments[0]);
window.benchSeenMs = {};
window.benchWatch?.disconnect();
const look = () => {
  for (const found of document.querySelectorAll(".cw-excerpt")) {
    const word = found.textContent.trim().split(" ").pop();
    if (wanted.has(word) && !(word in window.benchSeenMs)) {
      window.benchSeenMs[word] = performance.timeOrigin + performance.now();
    }
  }
};
window.benchWatch = new MutationObserver(look);
window.benchWatch.observe(document.body, {childList: true, characterData: true, subtree: true});
"""
_SAYS = 'look at what the shipped models say of: clipwarden score --caption "shut up, idiot"'
_SEEN = "return JSON.stringify(window.benchSeenMs)"
_DECIDED = "SELECT video_id, extract(epoch FROM decided_at)::float8 FROM videos WHERE video_id = ANY(%s)"

Instants = Mapping[str, float]
"""Word of a post → seconds since 1970."""


def bench_alerts(events: int, rate: float) -> dict[str, Any]:
    """So many events, so many a second, on servers thrown away afterwards.

    Raises:
        DependencyError: not even the first ones are shown.
    """
    with bench_site(Plan(worker=True, flows=1)) as site:
        posts = _uploaded(site.settings, site.root / "clips", WARM_UP + events)
        with Console(site.env, site.settings, log=site.root / "console.log") as console, chromium() as driver:
            driver.get(console.link())
            driver.get(f"http://{console.address}/?follow=1")
            if not _shown(site.settings, driver, posts[:WARM_UP], rate=rate)[1]:
                raise DependencyError(f"no alert was on the screen within {LAST_S:.0f} s; {_SAYS}")
            sent, seen = _shown(site.settings, driver, posts[WARM_UP:], rate=rate)
        return _row(sent, seen, _decided(site.settings, posts), rate)


def _row(sent: Instants, seen: Instants, decided: Instants, rate: float) -> dict[str, Any]:
    taken_s = [seen[word] - at_s for word, at_s in sent.items() if word in seen]
    to_verdict_s = [decided[word] - at_s for word, at_s in sent.items() if word in decided]
    row = ALERT.row(taken_s)
    is_met = row["is_met"] and len(taken_s) == len(sent)
    verdicts = {"to_verdict_p50_s": percentile(to_verdict_s, 50), "to_verdict_p95_s": percentile(to_verdict_s, 95)}
    return {"events": len(sent), "rate_per_s": rate, "never_shown": len(sent) - len(taken_s), **row, **verdicts} | {
        "is_met": is_met
    }


def _shown(
    settings: Settings, driver: webdriver.Chrome, posts: Sequence[VideoPosted], *, rate: float
) -> tuple[Instants, Instants]:
    """When each was sent, and when it was on the screen."""
    driver.execute_script(_WATCH, [_word(post) for post in posts])
    sent = _sent(settings, posts, rate)
    until_s = time.monotonic() + LAST_S
    while len(seen := _seen(driver)) < len(posts) and time.monotonic() < until_s:
        time.sleep(0.2)
    return sent, seen


def _sent(settings: Settings, posts: Sequence[VideoPosted], rate: float) -> Instants:
    producer, sent = EventProducer(settings.kafka), {}
    started_s = time.monotonic()
    for number, post in enumerate(track(posts, "sending", console=screen, transient=True)):
        time.sleep(max(0.0, started_s + number / rate - time.monotonic()))
        sent[_word(post)] = time.time()
        producer.send(post.model_copy(update={"posted_at": SystemClock().now()}))
    producer.flush()
    return sent


def _seen(driver: webdriver.Chrome) -> Instants:
    found: dict[str, float] = json.loads(driver.execute_script(_SEEN))
    return {word: at_ms / 1e3 for word, at_ms in found.items()}


def _decided(settings: Settings, posts: Sequence[VideoPosted]) -> Instants:
    words = {post.video_id: _word(post) for post in posts}
    with psycopg.connect(settings.store.dsn.get_secret_value()) as database:
        return {words[video_id]: at_s for video_id, at_s in database.execute(_DECIDED, [list(words)])}


def _uploaded(settings: Settings, folder: Path, count: int) -> list[VideoPosted]:
    """Events that are not sent yet, of rendered clips that are in the store: only the path is measured."""
    clips, cage, producer = render_clips(folder), Cage(settings.decode), EventProducer(settings.kafka)
    try:
        intake = Intake(S3Media(settings.media), producer, cage=cage, settings=settings, clock=SystemClock())
        return [intake.store_file(clips[number % len(clips)], _post(number)) for number in range(count)]
    finally:
        cage.close()


def _post(number: int) -> Post:
    word = RARE_WORDS[number * 101 % len(RARE_WORDS)]
    return Post(f"{CAPTION} {word}", f"bench:alert-{number}", source="bench", platform="bench", language="en")


def _word(post: VideoPosted) -> str:
    return (post.caption or "").rpartition(" ")[2]
