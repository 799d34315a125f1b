"""The audit log in a real browser over a real database: paged, narrowed, taken away with a line in the log itself."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from selenium.webdriver.common.keys import Keys

from core.access import Person, Role
from core.storage.audit_log import Act, note
from dashboard.settings_audit import ROWS
from tests.fixtures.browser import Screen
from tests.fixtures.platform import Platform
from tests.fixtures.stores import empty_tables

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

HOSTILE = "=<img src=x onerror='window.pwned=1'>[x](javascript:window.pwned=1)"
NOTED = ROWS + 20


@pytest.fixture
def address(platform: Platform, postgres_dsn: str, console_at: Callable[[Mapping[str, str]], str]) -> str:
    """The tab's address, over a log of more than a page."""
    empty_tables(postgres_dsn)
    with psycopg.connect(postgres_dsn) as connection:
        for _ in range(NOTED):
            note(connection, Person("u_bo", "Bo", Role.MODERATOR), Act.DECIDED, HOSTILE)
    url = console_at({**platform.env, "CLIPWARDEN_STORE__DSN": postgres_dsn})
    return f"{url}/settings?tab=audit-log"


def asked(screen: Screen) -> dict[str, list[str]]:
    return parse_qs(urlsplit(screen.driver.current_url).query)


def type_into(screen: Screen, name: str, words: str) -> None:
    field = f".st-key-log-{name} input"
    screen.until(lambda: screen.all(field))
    screen.all(field)[0].send_keys(words, Keys.ENTER)


def test_the_log_is_narrowed_paged_and_taken_away_and_that_is_in_it(
    address: str, screen: Screen, postgres_dsn: str, tmp_path: Path
) -> None:
    screen.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    screen.driver.get(address)
    type_into(screen, "who", "u_bo")
    screen.until(lambda: asked(screen).get("who") == ["u_bo"])

    screen.click(".st-key-log-older button:not([disabled])")
    screen.until(lambda: "place" in asked(screen) and screen.all(".st-key-log-older button[disabled]"))
    screen.driver.refresh()
    screen.until(lambda: screen.all(".st-key-log-older button[disabled]"))
    screen.click(".st-key-log-newer button:not([disabled])")
    screen.until(lambda: screen.all(".st-key-log-newer button[disabled]"))

    screen.click(".st-key-log-export button")
    screen.click(".st-key-log-export-csv button")
    screen.click(".st-key-log-exported a")
    screen.until(lambda: list(tmp_path.glob("clipwarden-log-*.csv")))

    with next(tmp_path.glob("clipwarden-log-*.csv")).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["subject"] for row in rows] == [f"'{HOSTILE}"] * NOTED
    with psycopg.connect(postgres_dsn) as connection:
        told = connection.execute("SELECT detail FROM audit_log WHERE subject = 'audit_log'").fetchall()
    assert told == [({"query": {"who": "u_bo"}, "rows": NOTED, "format": "csv"},)]
    assert screen.driver.execute_script("return window.pwned") is None


def test_no_table_is_downloaded_past_the_log(address: str, screen: Screen) -> None:
    screen.driver.get(address)
    screen.until(lambda: screen.all(".stDataFrame canvas"))

    buttons = ".stElementToolbar button[aria-label^='{}']"
    screen.until(lambda: screen.all(buttons.format("Search")))

    downloads = screen.all(buttons.format("Download as CSV"))
    assert downloads
    shown = "return getComputedStyle(arguments[0].closest('[data-testid=stElementToolbarButton]')).display"
    assert [screen.driver.execute_script(shown, button) for button in downloads] == ["none"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width_px", "height_px"), [(1440, 900), (390, 844)])
def test_the_tab_fits_the_screen_in_both_themes(
    address: str, screen: Screen, tmp_path: Path, *, scheme: str, width_px: int, height_px: int
) -> None:
    screen.size(width_px, height_px)
    screen.theme(scheme)

    screen.driver.get(f"{address}&who=u_bo&act=decided")
    screen.until(lambda: screen.all(".stDataFrame canvas"))

    assert screen.driver.save_screenshot(str(tmp_path / "page.png"))
    assert screen.driver.execute_script("return document.documentElement.scrollWidth") == width_px
