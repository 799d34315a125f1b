"""Settings, Retention in a real browser: a lead types how many rows go, the period holds, and what is older goes."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from core.access import Role
from core.settings import StoreSettings
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from core.storage.retention import Retention
from tests.fixtures.browser import Screen
from tests.fixtures.people import Office
from tests.fixtures.platform import Platform
from tests.fixtures.routes import LEAD, empty_routes
from tests.fixtures.stores import NOON, empty_tables, make_verdict

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


@pytest.fixture
def history(postgres_dsn: str) -> Iterator[TimescaleHistory]:
    """A verdict of twenty days ago and one of yesterday."""
    empty_tables(postgres_dsn)
    empty_routes(postgres_dsn)
    found = TimescaleHistory(StoreSettings(dsn=SecretStr(postgres_dsn)))
    for offset, days in enumerate((20, 1)):
        minute = (datetime.now(UTC) - timedelta(days=days) - NOON).total_seconds() / 60
        found.write([make_verdict(f"v:{days}", offset=offset, minute=minute)], [])
    yield found
    found.close()
    empty_routes(postgres_dsn)


def is_disabled(screen: Screen) -> bool:
    script = "return document.querySelector('.st-key-choose-retention button')?.disabled ?? true"
    return bool(screen.driver.execute_script(script))


def test_a_lead_shortens_a_period_by_typing_what_it_deletes_and_it_is_deleted(
    platform: Platform,
    postgres_dsn: str,
    history: TimescaleHistory,
    console_at: Callable[[Mapping[str, str]], str],
    browser: webdriver.Chrome,
    screen: Screen,
) -> None:
    url = console_at({**platform.env, "CLIPWARDEN_STORE__DSN": postgres_dsn})
    browser.get(Office(postgres_dsn).entry(url, Role.LEAD))
    screen.driver.get(f"{url}/settings?tab=retention")
    screen.until(lambda: screen.all(".st-key-days-verdicts input"))

    screen.all(".st-key-days-verdicts input")[0].send_keys(Keys.CONTROL, "a")
    screen.all(".st-key-days-verdicts input")[0].send_keys("7", Keys.TAB)
    screen.until(lambda: "1 rows would be deleted for good." in screen.words())
    screen.until(lambda: screen.all(".st-key-confirm-retention input"))
    assert is_disabled(screen)
    screen.all(".st-key-confirm-retention input")[0].send_keys("1", Keys.TAB)
    screen.until(lambda: not is_disabled(screen))
    screen.click(".st-key-choose-retention button")

    screen.until(lambda: "Nothing is changed yet." in screen.words() and "7 days" in screen.words())
    database = Database(StoreSettings(dsn=SecretStr(postgres_dsn)), "test")
    assert Retention(database, default_days=90).periods(LEAD).verdicts == 7
    database.close()
    history.delete_expired(datetime.now(UTC))
    assert (history.current("v:20"), history.current("v:1") is not None) == (None, True)
