"""Downloads by yt-dlp from a site that behaves in every way it can: each end has its code."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from core.errors import ConfigError, DependencyError, IngestError
from core.errors_ingest import IngestRateLimited
from core.settings_ingestion import IngestionSettings
from ingestion.download.fetcher import Downloader
from ingestion.download.order import Order, Refusal, parse_answer
from ingestion.egress.gate import Gate
from tests.fixtures.site import Site

pytestmark = pytest.mark.integration

Open = Callable[..., Downloader]


@pytest.fixture
def opened(site: Site) -> Iterator[Open]:
    """Downloaders that may reach the site, with short patience unless told otherwise."""
    gates: list[Gate] = []

    def open_with(**settings: object) -> Downloader:
        patience = {"idle_timeout_s": 1.0, "download_max_s": 20.0, "download_memory_bytes": 600_000_000}
        chosen = IngestionSettings(**{"allow": (site.address,), **patience, **settings})
        gates.append(Gate(chosen).__enter__())
        return Downloader(gates[-1], chosen)

    yield open_with
    for gate in gates:
        gate.__exit__()


def refusal(downloader: Downloader, link: str, into: Path) -> IngestError:
    with pytest.raises(IngestError) as refused:
        downloader.fetch(link, into)
    return refused.value


def test_a_page_becomes_its_file_and_what_it_says_of_it(opened: Open, site: Site, tmp_path: Path) -> None:
    fetched = opened().fetch(site.link("watch"), tmp_path)

    assert fetched.path.read_bytes() == site.clip
    assert (fetched.platform, fetched.platform_id) == ("web", None)
    assert fetched.caption == "Mèo con <b>dễ thương</b> #meo #xuhuong"
    assert fetched.hashtags == ("meo", "xuhuong")
    assert fetched.tool.startswith("yt-dlp 20")


@pytest.mark.parametrize("page", ["clip.mp4", "hops/2", "unnamed/..%2f..%2fevil.sh"])
def test_whatever_a_file_is_called_it_gets_our_name(opened: Open, site: Site, page: str, tmp_path: Path) -> None:
    opened().fetch(site.link(page), tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == ["media"]
    assert (tmp_path / "media").read_bytes() == site.clip


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("login", "ingest.login"),
        ("members", "ingest.login"),
        ("status/401", "ingest.login"),
        ("captcha", "ingest.captcha"),
        ("status/403", "ingest.forbidden"),
        ("status/404", "ingest.gone"),
        ("status/410", "ingest.gone"),
        ("status/429/30", "ingest.rate_limited"),
        ("status/500", "ingest.server"),
        ("status/503", "ingest.server"),
        ("nonsense", "ingest.server"),
        ("silence", "ingest.timeout"),
        ("stall", "ingest.timeout"),
        ("truncated", "ingest.truncated"),
        ("chunks", "ingest.truncated"),
        ("text", "ingest.type"),
        ("holds//text", "ingest.type"),
        ("holds//captcha", "ingest.captcha"),
    ],
)
def test_each_way_a_site_fails_has_its_code(opened: Open, site: Site, page: str, code: str, tmp_path: Path) -> None:
    assert refusal(opened(), site.link(page), tmp_path).code == code


def test_how_long_a_site_asks_to_wait_is_handed_on(opened: Open, site: Site, tmp_path: Path) -> None:
    error = refusal(opened(), site.link("status/429/30"), tmp_path)

    assert isinstance(error, IngestRateLimited)
    assert error.retry_after_s == 30.0


def test_a_download_may_be_slowed_down(opened: Open, site: Site, tmp_path: Path) -> None:
    began = datetime.now(UTC)

    opened(download_bytes_per_s=len(site.clip) // 2).fetch(site.link("clip.mp4"), tmp_path)

    assert (datetime.now(UTC) - began).total_seconds() >= 2.0


def test_no_variable_of_the_machine_leads_around_the_gate(
    opened: Open, forbidden: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")

    assert refusal(opened(), forbidden.link("clip.mp4"), tmp_path).code == "ingest.address"
    assert forbidden.connections == 0


def test_the_process_itself_connects_to_nothing_but_the_gate(site: Site, tmp_path: Path) -> None:
    before = site.connections
    order = Order(
        parent_pid=os.getpid(),
        link="http://a.example/clip.mp4",
        into=str(tmp_path),
        proxy_url=f"http://{site.address}",
        proxy_port=site.port + 1,
        cookies_file=None,
        extractors=("generic",),
        max_bytes=1_000_000,
        max_s=20.0,
        max_redirects=5,
        memory_bytes=600_000_000,
        bytes_per_s=0,
        idle_s=5.0,
    )

    child = [sys.executable, "-m", "ingestion.download.child"]
    said = subprocess.run(child, input=order.to_bytes(), capture_output=True, check=True).stdout

    assert parse_answer(said) == Refusal("ingest.address", "the downloader tried to connect past the gate")
    assert site.connections == before


def test_closing_ends_what_is_under_way_and_leaves_no_process(opened: Open, site: Site, tmp_path: Path) -> None:
    downloader = opened(idle_timeout_s=60.0, download_max_s=60.0)
    asked_before = len(site.requests)

    with ThreadPoolExecutor(1) as pool:
        fetching = pool.submit(downloader.fetch, site.link("stall"), tmp_path)
        deadline_s = time.monotonic() + 20
        while len(site.requests) == asked_before and time.monotonic() < deadline_s:
            threading.Event().wait(0.02)
        downloader.close()
        with pytest.raises(DependencyError):
            fetching.result(timeout=10)

    assert not [child for child in psutil.Process().children() if "ingestion.download.child" in child.cmdline()]
    with pytest.raises(DependencyError):
        downloader.fetch(site.link("clip.mp4"), tmp_path)


def test_cookies_that_others_may_read_are_refused(opened: Open, site: Site, tmp_path: Path) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text(f"# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\thunter2\n{site.port}")
    cookies.chmod(0o644)

    with pytest.raises(ConfigError) as refused:
        opened(cookies_file=cookies)

    assert "hunter2" not in str(refused.value)


def test_cookies_are_sent_to_their_site_and_never_written_back(opened: Open, site: Site, tmp_path: Path) -> None:
    cookies, into = tmp_path / "cookies.txt", tmp_path / "into"
    said = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\thunter2\n"
    cookies.write_text(said)
    cookies.chmod(0o600)
    into.mkdir()
    os.utime(cookies, (0, 0))

    opened(cookies_file=cookies).fetch(site.link("clip.mp4"), into)

    assert site.cookies[-1] == "session=hunter2"
    assert (cookies.read_text(), cookies.stat().st_mtime) == (said, 0)
