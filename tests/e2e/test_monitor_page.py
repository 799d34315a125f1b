"""The live monitor in a real browser over real stores: what is published is seen, and nothing of it executes."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from pydantic import SecretStr
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from core.events import CaptionSpan, Segment, Verdict, verdict_id
from core.labels import VerdictKind
from core.settings import MediaSettings, RedisSettings, StoreSettings
from core.storage.history import TimescaleHistory
from core.storage.live import RedisLive
from core.storage.media import S3Media
from core.storage.ports import Heartbeat
from tests.fixtures.browser import Screen
from tests.fixtures.media import write_video
from tests.fixtures.platform import Platform
from tests.fixtures.stores import Line, empty_tables, make_alert

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

HOSTILE = (
    "<script>window.pwned=1</script><img src=x onerror='window.pwned=1'><svg onload='window.pwned=1'> "
    "[x](javascript:window.pwned=1) **bold** $latex$ :material/home: :red[red] &amp; &#60;\n\n    indented\t"
    "\u0645\u0631\u062d\u0628\u0627 "
)
SHOWN_WITHIN_S = 3.0


@dataclass
class Monitor:
    """The console's address and the stores behind it."""

    url: str
    live: RedisLive
    history: TimescaleHistory
    media: S3Media
    bucket: str
    to_redis: Line

    def publish(self, video_id: str, *, age_s: float = 0, **changes: object) -> Verdict:
        now = datetime.now(UTC)
        at = now - timedelta(seconds=age_s)
        fields: dict[str, Any] = {"event_time": at, "decided_at": at, "posted_at": at, **changes}
        named = verdict_id(video_id, at, "text:3|video:5|fusion:-", "7+ab")
        alert = make_alert(video_id, offset=time.monotonic_ns(), verdict_id=named, **fields)
        written = self.history.write([alert], [])
        self.live.publish([alert], current=written.current, now=now)
        return alert

    def beat(self, state: str = "ready") -> None:
        self.live.beat(Heartbeat("flow", "0/1", state, "1", datetime.now(UTC), "", {"oldest_waiting_s": 0.2}))


@pytest.fixture
def monitor(
    platform: Platform,
    postgres_dsn: str,
    line: Callable[[str, int], Line],
    console_at: Callable[[Mapping[str, str]], str],
) -> Iterator[Monitor]:
    """An empty monitor on databases of its own; the console reaches Redis over a line that can be cut."""
    url = platform.settings.redis.url.get_secret_value().rpartition("/")[0] + "/8"
    server = urlsplit(url)
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    empty_tables(postgres_dsn)
    to_redis = line(server.hostname or "", server.port or 0)
    over_line = url.replace(f":{server.port}/", f":{to_redis.port}/")
    env = {**platform.env, "CLIPWARDEN_REDIS__URL": over_line, "CLIPWARDEN_STORE__DSN": postgres_dsn}
    live = RedisLive(RedisSettings(url=SecretStr(url)), heartbeat_ttl_s=600)
    history = TimescaleHistory(StoreSettings(dsn=SecretStr(postgres_dsn)))
    settings: MediaSettings = platform.settings.media
    yield Monitor(console_at(env), live, history, S3Media(settings), settings.bucket, to_redis)
    history.close()
    live.close()


def test_an_alert_published_after_load_is_on_the_screen_within_3_s_without_a_reload(
    monitor: Monitor, screen: Screen
) -> None:
    monitor.beat()
    screen.driver.get(monitor.url)
    screen.until(lambda: "Waiting for the first video" in screen.text(".cw-empty-title"))
    screen.driver.execute_script("window.loaded = 'once'")

    monitor.publish("v:1", caption="fresh from the stream")

    screen.until(lambda: screen.text(".cw-excerpt") == ["fresh from the stream"], within_s=SHOWN_WITHIN_S)
    assert screen.driver.execute_script("return window.loaded") == "once"


def test_a_hostile_caption_is_shown_letter_by_letter_and_nothing_executes(monitor: Monitor, screen: Screen) -> None:
    whole = HOSTILE + "x" * (10_000 - len(HOSTILE))
    strangers: dict[str, Any] = {
        "author_id": HOSTILE[:200],
        "language": "<b>l</b>**l**",
        "source": ":red[s]<img src=x>",
        "label": "<i>a</i>",
    }
    spans = (CaptionSpan(start=0, end=31, score=0.9), CaptionSpan(start=20, end=60, score=0.5))
    monitor.publish("v:1", caption=whole, caption_spans=spans, **strangers)

    screen.driver.get(f"{monitor.url}/?video=v:1")

    screen.until(lambda: screen.text(".cw-caption"))
    assert screen.text(".cw-caption") == [whole]
    assert "".join(screen.text(".cw-caption mark")) == whole[:60]
    assert any(strangers["author_id"] in line for line in screen.text(".cw-byline"))
    screen.click(".st-key-label input")
    screen.until(lambda: "<i>a</i>" in screen.text("[role=option]"))
    assert screen.driver.execute_script("return window.pwned") is None
    assert not screen.all(".stHtml script, .stHtml img, .stHtml svg, .stHtml a, .stHtml i:not(.cw-spark i)")


def test_a_control_character_is_seen(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1", caption="a\x01b\x1b\r")

    screen.driver.get(monitor.url)

    screen.until(lambda: screen.text(".cw-excerpt") == ["a\u2401b\u241b\u240d"])


def test_the_video_is_blurred_muted_and_still_until_the_person_asks(
    monitor: Monitor, screen: Screen, tmp_path: Path
) -> None:
    clip = write_video(tmp_path / "clip.mp4", frames=200)
    monitor.media.put_file(monitor.bucket, "page/clip.mp4", clip, "video/mp4")
    segments = (Segment(start_s=0, end_s=3.4, score=0.1), Segment(start_s=3.4, end_s=8, score=0.9))
    monitor.publish("v:1", media_uri=f"s3://{monitor.bucket}/page/clip.mp4", segments=segments)

    screen.driver.get(monitor.url)
    screen.click(".st-key-card-0 button")
    screen.until(lambda: screen.driver.execute_script("return document.querySelector('video')?.readyState >= 2"))
    state = """
        const video = document.querySelector('video');
        return [video.muted, video.paused, video.currentTime, getComputedStyle(video).filter];
    """
    muted, paused, at_s, blur = screen.driver.execute_script(state)
    assert (muted, paused, at_s) == (True, True, 3)
    assert "blur(" in blur

    screen.click(".st-key-unblur button")
    screen.until(lambda: screen.all(".st-key-blur button"))
    assert screen.driver.execute_script(state)[3] == "none"


def test_the_player_is_not_restarted_by_the_pages_own_redraw(monitor: Monitor, screen: Screen, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", frames=500)
    monitor.media.put_file(monitor.bucket, "page/long.mp4", clip, "video/mp4")
    monitor.publish("v:1", media_uri=f"s3://{monitor.bucket}/page/long.mp4")
    screen.driver.get(f"{monitor.url}/?video=v:1")
    screen.until(lambda: screen.driver.execute_script("return document.querySelector('video')?.readyState >= 2"))

    screen.driver.execute_script("const v = document.querySelector('video'); v.mine = 1; v.play()")

    playing = "const v = document.querySelector('video'); return v.mine === 1 && !v.paused && v.currentTime > 4"
    screen.until(lambda: screen.driver.execute_script(playing))


def test_an_open_alert_holds_the_list_and_the_pill_lets_it_go(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1", caption="first", age_s=5)
    screen.driver.get(monitor.url)
    screen.click(".st-key-card-0 button")
    screen.until(lambda: screen.text(".cw-caption") == ["first"])
    assert screen.driver.current_url.endswith("?video=v%3A1")

    monitor.publish("v:2", caption="second")

    screen.until(lambda: screen.text(".st-key-show-new button"))
    assert "1 new, show" in screen.text(".st-key-show-new button")[0]
    assert screen.text(".cw-excerpt") == ["first"]
    screen.click(".st-key-show-new button")
    screen.until(lambda: screen.text(".cw-excerpt") == ["second", "first"])


def test_the_list_stands_still_while_the_mouse_rests_on_it(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1", caption="first", age_s=5)
    screen.driver.get(monitor.url)
    screen.until(lambda: screen.text(".cw-excerpt") == ["first"])
    screen.until(lambda: rests_on(screen, ".st-key-card-0") and "Held while you read" in screen.text(".cw-status")[0])

    monitor.publish("v:2", caption="second")
    screen.until(lambda: screen.all(".st-key-show-new"))
    assert screen.text(".cw-excerpt") == ["first"]

    screen.until(lambda: rests_on(screen, ".st-key-head h1") and screen.text(".cw-excerpt") == ["second", "first"])


def rests_on(screen: Screen, selector: str) -> bool:
    """Move the mouse there as a hand does, which is never quite still; false while the page draws it anew."""
    try:
        there = screen.driver.find_element(By.CSS_SELECTOR, selector)
        ActionChains(screen.driver).move_to_element(there).move_by_offset(1, 1).perform()
    except (NoSuchElementException, StaleElementReferenceException):
        return False
    return True


def test_a_filter_stands_in_the_address_and_survives_a_reload(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1", caption="first", language="en")
    monitor.publish("v:2", caption="second", language="vi")
    screen.driver.get(monitor.url)
    screen.until(lambda: len(screen.text(".cw-excerpt")) == 2)

    screen.click(".st-key-language input")
    screen.until(lambda: "en" in screen.text("[role=option]"))
    next(option for option in screen.all("[role=option]") if option.text == "en").click()
    screen.until(lambda: screen.text(".cw-excerpt") == ["first"])
    assert "language=en" in screen.driver.current_url

    screen.driver.refresh()
    screen.until(lambda: screen.text(".cw-excerpt") == ["first"])


def test_on_a_telephone_an_alert_opens_over_the_list_with_a_way_back(monitor: Monitor, screen: Screen) -> None:
    screen.size(390, 844)
    monitor.publish("v:1", caption="first")
    screen.driver.get(monitor.url)
    screen.click(".st-key-card-0 button")
    screen.until(lambda: screen.text(".cw-caption") == ["first"])
    covered = """
        const pane = document.querySelector('.st-key-pane-open').getBoundingClientRect();
        return [pane.x, pane.y, pane.width, pane.height];
    """
    assert screen.driver.execute_script(covered) == [0, 0, 390, 844]

    screen.click(".st-key-go-close button")

    screen.until(lambda: not screen.all(".st-key-pane-open"))
    assert screen.driver.execute_script("return document.documentElement.scrollWidth") == 390


def test_a_store_that_is_down_is_named_and_comes_back_by_itself(monitor: Monitor, screen: Screen) -> None:
    monitor.beat()
    monitor.publish("v:1", caption="kept")
    screen.driver.get(monitor.url)
    screen.until(lambda: screen.text(".cw-excerpt") == ["kept"])

    monitor.to_redis.cut()

    screen.until(lambda: any("Redis does not answer since" in said for said in screen.text(".cw-notice")))
    assert screen.text(".cw-excerpt") == ["kept"]
    monitor.to_redis.restore()
    screen.until(lambda: not screen.text(".cw-notice"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width_px", "height_px"), [(1440, 900), (390, 844)])
def test_a_picture_of_every_verdict_in_both_themes(
    monitor: Monitor, screen: Screen, tmp_path: Path, scheme: str, width_px: int, height_px: int
) -> None:
    for place, kind in enumerate(VerdictKind):
        monitor.publish(f"v:{kind}", age_s=place, verdict=kind, caption=f"a made-up caption, {kind.value}")
    monitor.beat()
    screen.size(width_px, height_px)
    screen.theme(scheme)

    screen.driver.get(f"{monitor.url}/?show=all")
    screen.until(lambda: len(screen.text(".cw-card")) == len(VerdictKind))

    assert screen.driver.save_screenshot(str(tmp_path / "page.png"))
    assert (tmp_path / "page.png").stat().st_size > 10_000
    colours = screen.driver.execute_script(
        "return [...document.querySelectorAll('.cw-card .cw-mark')].map((mark) => getComputedStyle(mark).color)"
    )
    assert len(set(colours)) == len(VerdictKind)
