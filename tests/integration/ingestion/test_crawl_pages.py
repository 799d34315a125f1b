"""Hashtag pages read by a real Chromium: hand-written pages in the publicly known form, none of them recorded."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from core.clock import SystemClock
from core.settings_ingestion import IngestionSettings
from ingestion.cookies import Cookie
from ingestion.crawl.adapter import FoundVideo
from ingestion.crawl.browser import Browser, browser_behind
from ingestion.crawl.crawl import Crawl
from ingestion.crawl.scroll import Ending, Harvest
from ingestion.crawl.tiktok import TikTok
from ingestion.crawl.youtube import YouTubeShorts
from ingestion.egress.gate import Gate
from tests.fixtures.hashtags import HOST, MEGABYTE, HashtagSite

pytestmark = [pytest.mark.integration, pytest.mark.browser]

SETTINGS = IngestionSettings(
    crawl_attempts=1,
    crawl_pause_s=0,
    crawl_backoff_s=0.1,
    crawl_dry_s=3,
    crawl_page_timeout_s=4,
    crawl_answer_max_bytes=MEGABYTE // 2,
)
LATER_S = 4_102_444_800
KILLED = """
import sys, time
from core.clock import SystemClock
from core.settings_ingestion import IngestionSettings
from ingestion.crawl.browser import Browser
browser = Browser(sys.argv[1], IngestionSettings(), clock=SystemClock())
print(browser._chromium.pid, browser._chromium.driver_pid, flush=True)
time.sleep(60)
"""

Read = Callable[..., Harvest]


@pytest.fixture
def found() -> list[FoundVideo]:
    return []


@pytest.fixture
def read(hashtags: HashtagSite, found: list[FoundVideo]) -> Read:
    """Crawls one hashtag."""

    def run(tag: str, most: int = 20, *, settings: IngestionSettings = SETTINGS) -> Harvest:
        clock = SystemClock()
        crawl = Crawl(
            TikTok(hashtags.address),
            lambda: closing(Browser(hashtags.proxy, settings, clock=clock)),
            found.extend,
            settings=settings,
            clock=clock,
            wait=time.sleep,
        )
        (harvest,) = crawl.round([tag], most)
        return harvest

    return run


def test_videos_are_read_from_the_pages_own_answers_while_it_scrolls(read: Read, found: list[FoundVideo]) -> None:
    harvest = read("cats", 20)

    assert harvest.ending is Ending.ENOUGH
    assert [video.video_id for video in found] == [f"tiktok:73{number:017d}" for number in range(20)]
    assert found[7].caption == "clip 7 #cats"


def test_another_platform_is_another_adapter_and_nothing_else(hashtags: HashtagSite, found: list[FoundVideo]) -> None:
    clock = SystemClock()
    crawl = Crawl(
        YouTubeShorts(hashtags.address),
        lambda: closing(Browser(hashtags.proxy, SETTINGS, clock=clock)),
        found.extend,
        settings=SETTINGS,
        clock=clock,
        wait=time.sleep,
    )

    (harvest,) = crawl.round(["cats"], 50)

    assert harvest.ending is Ending.LAST
    assert [video.video_id for video in found] == [f"youtube:vid-{number:07d}" for number in range(18)]


def test_nobody_is_asked_for_anything_but_the_page(read: Read, hashtags: HashtagSite) -> None:
    read("dry")

    assert hashtags.hosts() == {HOST}


@pytest.mark.parametrize(
    ("tag", "ending", "videos", "code"),
    [
        ("dry", Ending.DRY, 6, None),
        ("broken", Ending.ENOUGH, 20, None),
        ("huge", Ending.ENOUGH, 20, None),
        ("strict", Ending.WALL, 6, "ingest.rate_limited"),
        ("verify", Ending.WALL, 0, "ingest.captcha"),
        ("captcha", Ending.WALL, 0, "ingest.captcha"),
        ("login", Ending.WALL, 0, "ingest.login"),
        ("wall", Ending.WALL, 0, "ingest.login"),
        ("limited", Ending.WALL, 0, "ingest.rate_limited"),
        ("failing", Ending.WALL, 0, "ingest.server"),
        ("nowhere", Ending.WALL, 0, "ingest.gone"),
        ("circle", Ending.WALL, 0, "ingest.redirects"),
    ],
)
def test_each_kind_of_page_ends_in_its_own_way(
    read: Read, tag: str, ending: Ending, videos: int, code: str | None
) -> None:
    harvest = read(tag)

    assert (harvest.ending, len(harvest.videos)) == (ending, videos)
    assert (harvest.failure and harvest.failure.code) == code


def test_what_a_page_hides_in_a_broken_or_huge_answer_is_counted(read: Read) -> None:
    assert dict(read("broken").skipped) == {"answer.malformed": 1}
    assert dict(read("huge").skipped) == {"answer.unread": 1}


def test_a_wall_that_falls_lets_the_next_attempt_through(read: Read, hashtags: HashtagSite) -> None:
    def heal(_: float) -> None:
        hashtags.healed.set()

    settings = SETTINGS.model_copy(update={"crawl_attempts": 2})
    clock = SystemClock()
    found: list[FoundVideo] = []
    crawl = Crawl(
        TikTok(hashtags.address),
        lambda: closing(Browser(hashtags.proxy, settings, clock=clock)),
        found.extend,
        settings=settings,
        clock=clock,
        wait=lambda wait_s: heal(wait_s) if not hashtags.healed.is_set() else time.sleep(wait_s),
    )

    (harvest,) = crawl.round(["ill"], 6)

    assert (harvest.ending, harvest.attempts, len(found)) == (Ending.ENOUGH, 2, 6)


@pytest.mark.parametrize("tag", ["busy", "stalls"])
def test_a_page_that_hangs_is_given_up_and_nothing_of_its_browser_is_left(read: Read, tag: str) -> None:
    others = _chromiums_of(os.getpid())

    harvest = read(tag, settings=SETTINGS.model_copy(update={"crawl_page_timeout_s": 1.0}))

    assert harvest.failure is not None
    assert harvest.failure.code in {"browser.unavailable", "ingest.timeout"}
    assert set(_chromiums_of(os.getpid())) <= set(others)


def test_cookies_go_to_the_site_and_never_to_the_disk(hashtags: HashtagSite, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Cookie("sessionid", "1", ".tiktok.test", "/", is_secure=False, is_http_only=True, expires_s=LATER_S)
    browser = Browser(hashtags.proxy, SETTINGS, cookies=[session], clock=SystemClock())
    profile, held = browser._chromium._profile, []
    # Chromium writes its cookies when it ends, if not before.
    monkeypatch.setattr(profile, "cleanup", lambda: held.extend(_files_with(b"sessionid", Path(profile.name))))

    with closing(browser):
        browser.open(f"{hashtags.address}/tag/dry", lambda _: False)

    assert "sessionid=1" in hashtags.cookies
    assert not held
    monkeypatch.undo()
    profile.cleanup()


def test_a_browser_that_is_closed_leaves_no_process(hashtags: HashtagSite) -> None:
    others = set(_chromiums_of(os.getpid()))
    browser = Browser(hashtags.proxy, SETTINGS, clock=SystemClock())
    assert set(_chromiums_of(os.getpid())) - others

    browser.close()

    assert set(_chromiums_of(os.getpid())) <= others


def test_a_crawl_that_is_killed_takes_its_browser_with_it(hashtags: HashtagSite) -> None:
    crawl = subprocess.Popen([sys.executable, "-c", KILLED, hashtags.proxy], stdout=subprocess.PIPE)
    assert crawl.stdout is not None
    pids = [int(pid) for pid in crawl.stdout.readline().split()]
    family = [
        process for pid in pids for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))
    ]

    crawl.kill()
    crawl.wait()
    crawl.stdout.close()

    _, alive = psutil.wait_procs([process for process in family if _runs(process)], timeout=10)
    assert not [process for process in alive if _runs(process)]
    assert _profiles_of(crawl.pid)
    Browser(hashtags.proxy, SETTINGS, clock=SystemClock()).close()
    assert not _profiles_of(crawl.pid)


def test_everything_goes_through_the_gate_which_opens_only_what_is_allowed(hashtags: HashtagSite) -> None:
    address = f"127.0.0.1:{hashtags.port}"
    allowed = SETTINGS.model_copy(update={"allow": (address,)})

    harvests = {}
    for name, settings in {"allowed": allowed, "closed": SETTINGS}.items():
        clock, found = SystemClock(), []
        with Gate(settings) as gate:
            crawl = Crawl(
                TikTok(f"http://{address}"),
                lambda gate=gate, settings=settings, clock=clock: browser_behind(gate, settings, clock=clock),
                found.extend,
                settings=settings,
                clock=clock,
                wait=time.sleep,
            )
            (harvests[name],) = crawl.round(["cats"], 6)
        hashtags.asked.append(name)

    assert harvests["allowed"].ending is Ending.ENOUGH
    assert harvests["closed"].failure is not None
    assert harvests["closed"].failure.code == "ingest.address"
    assert hashtags.asked[hashtags.asked.index("allowed") :] == ["allowed", "closed"]


def _chromiums_of(pid: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(pid).children(recursive=True) if "chrom" in child.name() and _runs(child)]


def _files_with(words: bytes, folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and words in file.read_bytes()]


def _profiles_of(pid: int) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"clipwarden-browser-{pid}-*"))


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
