"""A person signs in, stays so, and is out again, in a real browser."""

import pytest

from tests.fixtures.browser import Screen
from tests.fixtures.entrance import Entrance, is_in, sign_in
from tests.fixtures.people import GOOD

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def test_a_person_signs_in_stays_so_over_a_reload_and_signs_out(entrance: Entrance, screen: Screen) -> None:
    sign_in(screen, GOOD + "?")
    screen.until(lambda: screen.text(".message") == ["The name or the password is not right."])
    sign_in(screen, GOOD)

    screen.until(lambda: is_in(screen))
    assert screen.driver.current_url == f"{entrance.url}/settings"
    assert "People" not in screen.words()
    assert screen.driver.execute_script("return document.cookie.includes('clipwarden')") is False
    screen.driver.refresh()
    screen.until(lambda: is_in(screen))

    screen.click(".st-key-sign-out button")
    screen.until(lambda: screen.all("input[name=password]"))
    screen.driver.get(entrance.url)
    screen.until(lambda: screen.all("input[name=password]"))


def test_a_session_that_ends_ends_the_open_page_too(entrance: Entrance, screen: Screen) -> None:
    sign_in(screen, GOOD)
    screen.until(lambda: is_in(screen))

    with entrance.office.database.connection() as connection:
        connection.execute("UPDATE sessions SET expires_at = now()")

    screen.until(lambda: screen.all("input[name=password]"))


def test_too_many_attempts_wait(entrance: Entrance, screen: Screen) -> None:
    for _ in range(7):
        sign_in(screen, "wrong")
        screen.until(lambda: screen.text(".message"))

    screen.until(lambda: "Too many attempts" in screen.text(".message")[0])


def test_an_admin_adds_a_person_and_reads_it_in_the_log(entrance: Entrance, screen: Screen) -> None:
    screen.driver.get(entrance.office.entry(entrance.url))
    screen.driver.get(f"{entrance.url}/settings?tab=people")
    screen.until(lambda: screen.all(".stForm input"))
    screen.all(".stForm input")[0].send_keys("<b>new</b> **one**")
    screen.click(".stForm button[data-testid=stBaseButton-secondaryFormSubmit]")
    screen.until(lambda: screen.text(".cw-entry-link code"))

    link = screen.text(".cw-entry-link code")[0].split("link=")[1]
    screen.driver.get(f"{entrance.url}/settings?tab=audit-log")
    screen.until(lambda: screen.all(".stDataFrame"))
    screen.driver.get(f"{entrance.url}/enter?link={link}")
    screen.until(lambda: "<b>new</b> **one**" in screen.text(".cw-viewer-name"))
