"""The Database page in a real browser over a real server: asked, refused, cancelled."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from core.settings import StoreSettings
from core.storage.history import TimescaleHistory
from tests.fixtures.browser import Screen
from tests.fixtures.platform import Platform
from tests.fixtures.sql import SqlSite
from tests.fixtures.stores import make_alert

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

HOSTILE = "<script>window.pwned=1</script><img src=x onerror='window.pwned=1'> [x](javascript:window.pwned=1) **b**"
WRITES = "DELETE FROM videos -- <img src=x onerror='window.pwned=1'>"
FOREVER = "SELECT count(*) FROM generate_series(1, 1000000000000)"


@pytest.fixture
def address(platform: Platform, sql_site: SqlSite, console_at: Callable[[Mapping[str, str]], str]) -> str:
    """The address of the page, over a database with one hostile caption."""
    history = TimescaleHistory(StoreSettings(dsn=SecretStr(sql_site.dsn)))
    history.write([make_alert("v:hostile", caption=HOSTILE)], [])
    history.close()
    env = {
        "CLIPWARDEN_STORE__DSN": sql_site.dsn,
        "CLIPWARDEN_REPORTING__DSN": sql_site.settings.dsn.get_secret_value(),
        "CLIPWARDEN_REPORTING__TIMEOUT_S": "60",
    }
    return f"{console_at({**platform.env, **env})}/database"


def ask(screen: Screen, statement: str) -> None:
    """Type a statement and press the button."""
    box = screen.driver.find_element(By.CSS_SELECTOR, ".st-key-sql-text textarea")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(statement)
    screen.click(".st-key-sql-run button:not([disabled])")


def test_a_template_is_chosen_and_answered(address: str, screen: Screen) -> None:
    screen.driver.get(address)
    screen.click(".st-key-sql-template input")
    screen.until(lambda: "Newest harmful videos" in screen.text("[role=option]"))
    next(option for option in screen.all("[role=option]") if option.text == "Newest harmful videos").click()
    screen.until(lambda: "verdict = 'harmful'" in screen.all(".st-key-sql-text textarea")[0].get_property("value"))

    screen.click(".st-key-sql-run button:not([disabled])")

    screen.until(lambda: any("1 row in" in said for said in screen.text(".cw-sql-done")))
    screen.until(lambda: screen.all(".st-key-sql-result canvas"))
    assert screen.driver.execute_script("return window.pwned") is None


def test_a_result_is_fetched_from_our_own_route_and_the_log_says_so(
    address: str, screen: Screen, sql_site: SqlSite, tmp_path: Path
) -> None:
    screen.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    screen.driver.get(f"{address}?sql={quote('SELECT 7 AS n')}")
    screen.click(".st-key-sql-run button:not([disabled])")

    screen.click(".st-key-sql-export-csv button")
    screen.until(lambda: screen.all(".st-key-sql-exported a[href^='export/']"))
    screen.click(".st-key-sql-exported a")

    screen.until(lambda: list(tmp_path.glob("clipwarden-sql-*.csv")))
    assert next(tmp_path.glob("clipwarden-sql-*.csv")).read_text("utf-8-sig").split() == ["n", "7"]
    noted = sql_site.one("SELECT detail FROM audit_log WHERE action = 'exported' ORDER BY entry_id DESC LIMIT 1")
    assert noted == {"statement": "SELECT 7 AS n", "rows": 1, "format": "csv"}
    asked = screen.driver.execute_script("return performance.getEntriesByType('resource').map((found) => found.name)")
    assert not [name for name in asked if "/media/" in name.replace("/static/media/", "")]


def test_a_hostile_statement_is_refused_in_one_line(address: str, screen: Screen, sql_site: SqlSite) -> None:
    screen.driver.get(f"{address}?sql={quote(WRITES)}")
    screen.until(lambda: screen.all(".st-key-sql-text textarea"))
    assert not screen.text(".cw-sql-trouble")

    screen.click(".st-key-sql-run button:not([disabled])")

    screen.until(lambda: any("DELETE is not allowed here" in said for said in screen.text(".cw-sql-trouble")))
    assert screen.driver.execute_script("return window.pwned") is None
    assert sql_site.one("SELECT count(*) FROM videos") != 0


def test_a_long_statement_is_cancelled_while_it_runs(address: str, screen: Screen) -> None:
    screen.driver.get(address)
    screen.until(lambda: screen.all(".st-key-sql-text textarea"))
    ask(screen, FOREVER)

    screen.click(".st-key-sql-cancel button")

    screen.until(lambda: screen.text(".cw-sql-trouble") == ["!cancelled by you"])
    screen.until(lambda: screen.all(".st-key-sql-run button:not([disabled])"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width_px", "height_px"), [(1440, 900), (390, 844)])
def test_a_picture_of_the_page_in_both_themes(
    address: str, screen: Screen, tmp_path: Path, *, scheme: str, width_px: int, height_px: int
) -> None:
    screen.size(width_px, height_px)
    screen.theme(scheme)
    screen.driver.get(address)
    screen.click(".st-key-preview-verdicts button")
    screen.until(lambda: screen.all(".st-key-sql-result canvas"))
    # Away from under the head, which stays on top where the page is long.
    screen.driver.execute_script(
        "document.querySelector('.st-key-sql-view-decisions').scrollIntoView({block: 'center'})"
    )
    screen.click(".st-key-columns-decisions button")
    screen.until(lambda: screen.text(".cw-columns td"))

    assert screen.driver.save_screenshot(str(tmp_path / "page.png"))
    assert (tmp_path / "page.png").stat().st_size > 10_000
    assert screen.driver.execute_script("return document.documentElement.scrollWidth") == width_px
