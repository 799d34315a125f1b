"""The About page in a real browser: what runs is drawn, a process that comes is drawn without a reload."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.settings import RedisSettings
from core.storage.live import RedisLive
from core.storage.ports import Heartbeat
from tests.fixtures.browser import Screen
from tests.fixtures.platform import Platform

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

HOSTILE = "<img src=x onerror='window.pwned=1'>"
FACTS = {
    "clip": "16 frames, 112 x 112 px",
    "caption": "128 tokens",
    "fusion": "passed its gate",
    "labels_text": "hate, harassment",
    "labels_video": "violence",
}


@pytest.fixture
def live(platform: Platform) -> Iterator[RedisLive]:
    """The live view; heartbeats last as long as a test."""
    found = RedisLive(RedisSettings(url=platform.settings.redis.url), heartbeat_ttl_s=120)
    yield found
    found.close()


def beat(live: RedisLive, kind: str, instance: str, *, version: str = "0.1.0", **fields: object) -> None:
    known = {"state": "ready", "at": datetime.now(UTC), **fields}
    live.beat(Heartbeat(kind, instance, version=version, **known))


def run_all(live: RedisLive) -> None:
    for share in ("0/2", "1/2"):
        beat(live, "flow", share, version="starter@1a2b3c4d", facts={"hate": "0.40 - 0.50", "violence": "0.40 - 0.50"})
    beat(live, "worker", "a", version="text:3|video:5|fusion:1", facts=FACTS)
    beat(live, "ingestion", "b", state="waiting", detail="objects: no answer")
    beat(live, "router", "c")


@pytest.fixture
def page(platform: Platform, live: RedisLive, console_at: Callable[[Mapping[str, str]], str]) -> str:
    """The page's address."""
    return f"{console_at(platform.env)}/about"


def test_a_process_that_starts_is_drawn_without_a_reload_and_what_it_says_is_text(
    page: str, live: RedisLive, screen: Screen
) -> None:
    screen.driver.get(page)
    screen.until(lambda: "Gateway" in screen.text(".cw-box-name"))
    screen.driver.execute_script("window.loaded = 'once'")

    beat(live, "gateway", "e2e", state="waiting", detail=HOSTILE)

    screen.until(lambda: HOSTILE in screen.text(".cw-box-line"))
    assert screen.driver.execute_script("return window.loaded") == "once"
    assert screen.driver.execute_script("return window.pwned") is None
    screen.until(lambda: "evidence" in screen.text(".cw-glossary dt"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width_px", "height_px"), [(1440, 900), (390, 844)])
def test_a_picture_of_the_page_in_both_themes(
    page: str, live: RedisLive, screen: Screen, tmp_path: Path, *, scheme: str, width_px: int, height_px: int
) -> None:
    run_all(live)
    screen.size(width_px, height_px)
    screen.theme(scheme)

    screen.driver.get(page)
    screen.until(lambda: any("text:3|video:5|fusion:1" in line for line in screen.text(".cw-box-line")))
    screen.until(lambda: screen.all(".cw-glossary dt"))

    assert screen.driver.save_screenshot(str(tmp_path / "page.png"))
    assert (tmp_path / "page.png").stat().st_size > 10_000
    assert screen.driver.execute_script("return document.documentElement.scrollWidth") == width_px
