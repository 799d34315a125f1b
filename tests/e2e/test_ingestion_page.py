"""The Ingestion page in a real browser over a real ledger: what is there is shown, and a button does what it says."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.settings import StoreSettings
from core.storage.items import Content, Failure, ItemState, Lease, NewItem, Sighting
from core.storage.ledger_pg import PostgresLedger
from tests.fixtures.browser import Screen
from tests.fixtures.ledger import empty_ledger
from tests.fixtures.platform import Platform

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

LEASE = Lease("test", 600.0)
HOSTILE = "https://a.example/<img src=x onerror='window.pwned=1'>" + "long" * 60
BUTTONS = 4 * 2 + 5
CODES = ("media.undecodable", "media.too_long", "ingest.login", "ingest.gone", "ingest.type")


@dataclass
class Page:
    """The page's address and the ledger behind it."""

    url: str
    ledger: PostgresLedger

    def add(self, key: str, source: str, *, code: str | None = None, link: str | None = None) -> None:
        found = self.ledger.found([NewItem(key, Sighting(datetime.now(UTC), source), link=link)], lease=LEASE)
        if code is not None:
            self.ledger.refused(LEASE.owner, found[0].item_id, Failure(code, "a made-up reason, in one line"))

    def fill(self) -> None:
        for source in ("crawl", "download", "gateway", "produce"):
            for number in range(12):
                self.add(f"{source}:{number}", source, link=f"https://a.example/{source}/{number}")
            for number, code in enumerate(CODES):
                self.add(f"{source}:bad-{number}", source, code=code, link=f"https://a.example/{source}/bad-{number}")
        items = self.ledger.items(100, source="gateway", state=ItemState.FOUND)[:5]
        contents = [
            Content(item.item_id, f"v:{item.item_id}", f"{item.item_id:064x}", 3_000_000, "video/mp4", "s3://clips/a")
            for item in items
        ]
        self.ledger.fetched(LEASE.owner, contents)
        self.ledger.stored(LEASE.owner, [item.item_id for item in items[:3]])
        self.ledger.pause("crawl", "test")


@pytest.fixture
def page(platform: Platform, postgres_dsn: str, console_at: Callable[[Mapping[str, str]], str]) -> Iterator[Page]:
    """The console over an empty ledger of its own."""
    empty_ledger(postgres_dsn)
    ledger = PostgresLedger(StoreSettings(dsn=SecretStr(postgres_dsn)))
    url = console_at({**platform.env, "CLIPWARDEN_STORE__DSN": postgres_dsn})
    yield Page(f"{url}/ingestion", ledger)
    ledger.close()


def test_an_empty_ledger_says_what_to_do_and_the_first_item_comes_without_a_reload(page: Page, screen: Screen) -> None:
    screen.driver.get(page.url)
    screen.until(lambda: screen.text(".cw-empty-title") == ["Nothing has come in yet"])
    screen.driver.execute_script("window.loaded = 'once'")

    page.add("tiktok:1", "crawl")

    screen.until(lambda: screen.text(".cw-source-name") == ["crawl"])
    assert screen.driver.execute_script("return window.loaded") == "once"


def test_a_source_is_paused_and_its_refusals_are_tried_again_from_the_page(page: Page, screen: Screen) -> None:
    page.add("tiktok:1", "crawl", code="ingest.login", link=HOSTILE)
    screen.driver.get(page.url)
    screen.until(lambda: screen.text(".cw-origin") == [HOSTILE])

    screen.click("[class*='st-key-pause-crawl'] button")
    screen.until(lambda: page.ledger.paused() == {"crawl"} and screen.text(".cw-paused") == ["paused"])
    screen.click("[class*='st-key-retry-source-crawl'] button")
    screen.until(lambda: "Nothing was refused" in screen.text(".cw-empty-title"))

    (item,) = page.ledger.items(10)
    assert item.state is ItemState.FOUND
    assert screen.driver.execute_script("return window.pwned") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width_px", "height_px"), [(1440, 900), (390, 844)])
@pytest.mark.parametrize("is_empty", [False, True])
def test_a_picture_of_the_page_in_both_themes(
    page: Page, screen: Screen, tmp_path: Path, *, scheme: str, width_px: int, height_px: int, is_empty: bool
) -> None:
    if not is_empty:
        page.fill()
    screen.size(width_px, height_px)
    screen.theme(scheme)

    screen.driver.get(page.url)
    own = ".stMain .stButton button"
    screen.until(lambda: screen.text(".cw-empty-title") if is_empty else len(screen.all(own)) == BUTTONS)

    assert screen.driver.save_screenshot(str(tmp_path / "page.png"))
    assert (tmp_path / "page.png").stat().st_size > 10_000
    assert screen.driver.execute_script("return document.documentElement.scrollWidth") == width_px
