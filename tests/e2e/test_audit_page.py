"""The content audit in a real browser over a real database: what a person looks for is found, opened and taken away."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from core.events import Verdict, verdict_id
from core.settings import StoreSettings
from core.storage.history import TimescaleHistory
from dashboard.audit_forms import GALLERY_ROWS
from dashboard.data.export import COLUMNS
from dashboard.data.table_file import GUARD
from tests.fixtures.browser import Screen
from tests.fixtures.platform import Platform
from tests.fixtures.stores import MODELS, empty_tables, make_alert, make_verdict

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

HOSTILE = (
    "<script>window.pwned=1</script><img src=x onerror='window.pwned=1'> [x](javascript:window.pwned=1) **bold** "
    "=HYPERLINK('x') $latex$ :material/home: 100%_"
)
VIDEOS = 60


@dataclass
class Audit:
    """The page's address and the database behind it."""

    url: str
    history: TimescaleHistory

    def fill(self) -> None:
        start = datetime.now(UTC) - timedelta(hours=1)
        rows: list[Verdict] = []
        for number in range(VIDEOS):
            at = start + timedelta(seconds=number)
            make = make_alert if number % 10 == 0 else make_verdict
            fields = {"event_time": at, "decided_at": at, "posted_at": at, "score": round(number / 100, 2)}
            named = verdict_id(f"v:{number}", at, MODELS, "7+ab")
            caption = f"Đường phố số {number}" if number % 2 else f"=harmless {number}"
            rows.append(make(f"v:{number}", offset=number, verdict_id=named, caption=caption, **fields))
        self.history.write(rows, [])


@pytest.fixture
def audit(platform: Platform, postgres_dsn: str, console_at: Callable[[Mapping[str, str]], str]) -> Iterator[Audit]:
    """The console over an empty database."""
    empty_tables(postgres_dsn)
    history = TimescaleHistory(StoreSettings(dsn=SecretStr(postgres_dsn)))
    url = console_at({**platform.env, "CLIPWARDEN_STORE__DSN": postgres_dsn})
    yield Audit(f"{url}/audit", history)
    history.close()


def type_into(screen: Screen, label: str, words: str) -> None:
    field = f"input[aria-label='{label}']"
    screen.until(lambda: screen.all(field))
    screen.all(field)[0].send_keys(words, Keys.ENTER)


def address(screen: Screen) -> dict[str, list[str]]:
    return parse_qs(urlsplit(screen.driver.current_url).query)


def captions(screen: Screen) -> list[str]:
    return screen.text(".cw-tile .cw-excerpt")


def test_before_anything_came_the_page_says_what_to_do(audit: Audit, screen: Screen) -> None:
    screen.driver.get(audit.url)

    screen.until(lambda: screen.text(".cw-empty-title") == ["No video yet"])
    assert screen.text(".cw-empty code") == ["clipwarden produce clip.mp4"]


def test_a_word_is_found_a_video_opened_and_the_address_keeps_it_all(audit: Audit, screen: Screen) -> None:
    audit.fill()
    screen.driver.get(audit.url)
    screen.until(lambda: len(captions(screen)) == GALLERY_ROWS)

    type_into(screen, "Words of the caption", "duong 59")
    screen.until(lambda: captions(screen) == ["Đường phố số 59"])
    screen.click("[class*='st-key-audit-open-'] button")
    screen.until(lambda: "v:59" in screen.text(".cw-facts dd"))
    screen.driver.refresh()
    screen.until(lambda: "v:59" in screen.text(".cw-facts dd"))

    assert address(screen) == {"words": ["duong 59"], "form": ["detail"], "video": ["v:59"]}


def test_pages_go_on_and_back(audit: Audit, screen: Screen) -> None:
    audit.fill()
    screen.driver.get(audit.url)
    screen.until(lambda: len(captions(screen)) == GALLERY_ROWS)
    first = captions(screen)

    screen.click(".st-key-audit-page-on button")
    # Tile by tile: until the last of them is another one.
    screen.until(lambda: len(captions(screen)) == GALLERY_ROWS and not set(captions(screen)) & set(first))
    assert "place" in address(screen)
    screen.click(".st-key-audit-page-back button")
    screen.until(lambda: captions(screen) == first)


def test_an_empty_answer_says_which_filter_to_clear_and_clears_it(audit: Audit, screen: Screen) -> None:
    audit.fill()
    screen.driver.get(f"{audit.url}?author=nobody&verdict=harmful")
    screen.until(lambda: screen.text(".cw-empty-title") == ["No video matches"])

    screen.click(".st-key-audit-clear-author button")

    screen.until(lambda: len(captions(screen)) == VIDEOS // 10)
    assert address(screen) == {"verdict": ["harmful"]}


def test_the_tables_columns_are_chosen_and_stand_in_the_address(audit: Audit, screen: Screen) -> None:
    audit.fill()
    screen.driver.get(f"{audit.url}?form=table&columns=caption,score,source")
    screen.until(lambda: screen.all(".stDataFrame"))

    screen.click(".st-key-audit-columns-popover button")
    screen.until(lambda: screen.all(".st-key-audit-columns input"))
    screen.all(".st-key-audit-columns input")[0].send_keys(Keys.BACKSPACE)

    screen.until(lambda: address(screen).get("columns") == ["caption,score"])


def test_the_whole_answer_is_exported_and_every_row_reads_back(audit: Audit, screen: Screen, tmp_path: Path) -> None:
    audit.fill()
    screen.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    screen.driver.get(f"{audit.url}?sort=score&order=rising")
    screen.until(lambda: len(captions(screen)) == GALLERY_ROWS)

    screen.click("[class*='st-key-audit-export'] button")
    screen.click(".st-key-audit-export-csv button")
    screen.click(".st-key-audit-exported a")
    screen.until(lambda: list(tmp_path.glob("clipwarden-*.csv")))

    with next(tmp_path.glob("clipwarden-*.csv")).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["video_id"] for row in rows] == [f"v:{number}" for number in range(VIDEOS)]
    assert rows[0].keys() == set(COLUMNS)
    assert rows[2]["caption"] == f"{GUARD}=harmless 2"


def test_nothing_that_somebody_wrote_is_executed(audit: Audit, screen: Screen) -> None:
    at = datetime.now(UTC)
    fields = {"event_time": at, "decided_at": at, "posted_at": at, "caption": HOSTILE}
    row = make_alert("v:hostile", hashtags=(HOSTILE[:200],), author_id=HOSTILE, source=HOSTILE[:200], **fields)
    audit.history.write([row], [])

    for form in ("gallery", "table", "detail"):
        screen.driver.get(f"{audit.url}?form={form}")
        type_into(screen, "Author", HOSTILE)
        screen.until(lambda: screen.text(".cw-audit-count") == ["1 video"])
    screen.until(lambda: screen.text("p.cw-caption") == [HOSTILE])

    assert screen.driver.find_element(By.CSS_SELECTOR, "input[aria-label='Author']").get_attribute("value") == HOSTILE
    assert screen.driver.execute_script("return window.pwned") is None
