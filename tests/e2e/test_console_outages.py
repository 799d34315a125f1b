"""The database goes away under an open console: each page says so, none looks empty, all come back by themselves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.errors import DependencyError
from operations.processes import check_http
from tests.fixtures.browser import Screen
from tests.fixtures.entrance import is_in
from tests.fixtures.platform import Platform
from tests.fixtures.stores import Line, empty_tables

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

SAYS = "The database does not answer"
AWAY_S = 30.0
PAGES = {
    "audit": ("No video yet", "No video matches", "clipwarden produce"),
    "analytics": ("Nothing is counted yet", "No video in this period", "clipwarden produce"),
    "ingestion": ("Nothing has come in yet", "clipwarden produce"),
    "database": ("There is nothing to read yet",),
    "settings?tab=people": ("Add a person",),
    "settings?tab=wellness": ("For everybody",),
    "pipeline?part=letters": ("No dead letters",),
}
"""What each must not say meanwhile: it would be believed."""


@dataclass
class Console:
    """A console, and its line to the database."""

    url: str
    to_database: Line


@pytest.fixture
def console(
    platform: Platform,
    postgres_dsn: str,
    line: Callable[[str, int], Line],
    console_at: Callable[[Mapping[str, str]], str],
) -> Console:
    """Over an empty database, with an admin before it."""
    empty_tables(postgres_dsn)
    there = conninfo_to_dict(postgres_dsn)
    laid = line(str(there["host"]), int(str(there["port"])))
    over_line = make_conninfo(postgres_dsn, port=laid.port)
    reporting = make_conninfo(platform.settings.reporting.dsn.get_secret_value(), port=laid.port)
    env = {"CLIPWARDEN_STORE__DSN": over_line, "CLIPWARDEN_REPORTING__DSN": reporting}
    return Console(console_at({**platform.env, **env}), laid)


@pytest.mark.timeout(240)  # each page may wait for the database once
def test_no_page_looks_empty_while_the_database_is_away(console: Console, screen: Screen) -> None:
    # Whoever the console knows already is let on; a stranger would only be told that nobody can be known now.
    screen.driver.get(f"{console.url}/about")
    screen.until(lambda: is_in(screen, "the admin"))
    console.to_database.cut()

    for path, lies in PAGES.items():
        screen.driver.get(f"{console.url}/{path}")
        screen.until(lambda: is_in(screen, "the admin") and SAYS in screen.words(), within_s=AWAY_S)
        words = screen.words()
        assert not [lie for lie in lies if lie in words], path
        assert screen.all(".stException") == [], path


def test_an_open_page_says_so_by_itself_and_comes_back(console: Console, screen: Screen) -> None:
    screen.driver.get(f"{console.url}/ingestion")
    screen.until(lambda: "Nothing has come in yet" in screen.words())
    check_http(f"{console.url}/readyz")

    console.to_database.cut()
    screen.until(lambda: SAYS in screen.words() and "Nothing has come in yet" not in screen.words(), within_s=AWAY_S)
    with pytest.raises(DependencyError):
        check_http(f"{console.url}/readyz")
    check_http(f"{console.url}/_stcore/health")

    console.to_database.restore()
    screen.until(lambda: SAYS not in screen.words() and "Nothing has come in yet" in screen.words(), within_s=AWAY_S)


def test_who_asks_to_sign_out_meanwhile_stays_and_goes_on(console: Console, screen: Screen) -> None:
    screen.driver.get(f"{console.url}/about")
    screen.until(lambda: is_in(screen, "the admin"))
    console.to_database.cut()

    screen.click(".st-key-sign-out button")
    screen.until(lambda: any("you are still signed in" in said for said in screen.text("[data-testid=stToast]")))
    screen.driver.refresh()

    screen.until(lambda: is_in(screen, "the admin"), within_s=AWAY_S)


def test_a_stranger_is_told_that_nobody_can_sign_in_now(console: Console, screen: Screen) -> None:
    screen.driver.delete_all_cookies()
    console.to_database.cut()

    screen.driver.get(f"{console.url}/sign-in")
    screen.until(lambda: screen.all("input[name=password]"), within_s=AWAY_S)
    screen.all("input[name=name]")[0].send_keys("Bình")
    screen.all("input[name=password]")[0].send_keys("whatever it is")
    screen.click("button[type=submit]")

    screen.until(lambda: any("nobody can sign in now" in said for said in screen.text(".message")), within_s=AWAY_S)
