"""A person signs in with a provider, in a real browser: there and back, out again, and refused with the reason."""

from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from core.access import Role
from dashboard import provider_cookies
from tests.fixtures.browser import Screen
from tests.fixtures.people import GOOD, OPERATOR
from tests.fixtures.provider import Vouching

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

STEPS_S = 40.0
"""The console is loaded anew at each step there and back."""


def open_page(screen: Screen, vouching: Vouching, path: str) -> None:
    """Come as a stranger, who is led from the page to the sign-in."""
    screen.driver.delete_all_cookies()
    screen.driver.get(f"{vouching.url}/sign-in?" + urlencode({"next": path}))
    screen.until(lambda: screen.all(".second"))


def go_to_provider(screen: Screen) -> None:
    screen.click(".second")
    screen.until(lambda: screen.all("#allow"))


def sign_in(screen: Screen) -> None:
    go_to_provider(screen)
    screen.click("#allow")
    screen.until(lambda: "Bình" in screen.text(".cw-viewer-name"), within_s=STEPS_S)


def cookies(screen: Screen) -> set[str]:
    return {cookie["name"] for cookie in screen.driver.get_cookies()}


def message(screen: Screen) -> str:
    screen.until(lambda: screen.text(".message"), within_s=STEPS_S)
    return screen.text(".message")[0]


def test_a_person_goes_there_and_back_to_the_page_asked_for_and_out_again(vouching: Vouching, screen: Screen) -> None:
    screen.driver.delete_all_cookies()
    screen.driver.get(f"{vouching.url}/settings?tab=account")
    screen.until(lambda: screen.all(".second"), within_s=STEPS_S)

    sign_in(screen)

    assert screen.driver.current_url == f"{vouching.url}/settings?tab=account"
    screen.until(lambda: "Your provider signs you in" in screen.words())
    assert not [name for name in cookies(screen) if name.startswith("_streamlit_user") or name == "clipwarden_way"]
    assert [entry.detail.get("by") for entry in vouching.office.log.newest(OPERATOR, 1)] == ["provider"]
    screen.click(".st-key-sign-out button")
    screen.until(lambda: screen.all(".second"), within_s=STEPS_S)
    screen.driver.get(vouching.url)
    screen.until(lambda: screen.all(".second"), within_s=STEPS_S)
    sign_in(screen)
    assert vouching.provider.consents == 2


def bring(screen: Screen, vouching: Vouching, cookies: Mapping[str, str]) -> None:
    """Open the console with these cookies and no others."""
    open_page(screen, vouching, "/settings")
    screen.driver.delete_all_cookies()
    for name, value in cookies.items():
        screen.driver.add_cookie({"name": name, "value": value})
    screen.driver.get(vouching.url)


def test_a_word_that_streamlit_kept_opens_one_session_and_only_for_who_set_out(
    vouching: Vouching, screen: Screen
) -> None:
    word = vouching.word()
    bring(screen, vouching, word)
    screen.until(lambda: screen.all(".second"), within_s=STEPS_S)
    assert screen.text(".message") == []

    bring(screen, vouching, {**word, provider_cookies.COOKIE: provider_cookies.begun("/settings")})
    screen.until(lambda: "Bình" in screen.text(".cw-viewer-name"), within_s=STEPS_S)

    bring(screen, vouching, {**word, provider_cookies.COOKIE: provider_cookies.begun("/settings")})
    assert message(screen) == "That sign-in was used already. Try again."


def test_who_says_no_at_the_provider_is_back_with_a_word_and_may_sign_in_here(
    vouching: Vouching, screen: Screen
) -> None:
    vouching.office.person(Role.LEAD, name="Bình", password=GOOD)
    open_page(screen, vouching, "/settings")
    go_to_provider(screen)

    screen.click("#deny")

    assert message(screen) == "You came back without being signed in. Try again."
    for name, value in (("name", "Bình"), ("password", GOOD)):
        screen.all(f"input[name={name}]")[0].send_keys(value)
    screen.click("button[type=submit]:not(.second)")
    screen.until(lambda: screen.text(".cw-viewer-name") == ["Bình"])


def test_who_is_shut_out_is_told_so_and_is_not_in_again_by_being_let_in(vouching: Vouching, screen: Screen) -> None:
    open_page(screen, vouching, "/settings")
    sign_in(screen)
    person = vouching.office.people.find(OPERATOR, "Bình").person
    vouching.office.people.disable(OPERATOR, person.user_id)
    screen.until(lambda: screen.all(".second"))

    go_to_provider(screen)
    screen.click("#allow")

    assert message(screen) == "You are shut out here. Ask an admin to let you in again."
    vouching.office.people.enable(OPERATOR, person.user_id)
    screen.driver.get(vouching.url)
    screen.until(lambda: screen.all(".second"))


def test_who_has_no_role_here_is_told_what_to_ask(vouching: Vouching, screen: Screen) -> None:
    vouching.provider.claims["groups"] = ["guests"]
    open_page(screen, vouching, "/settings")
    go_to_provider(screen)

    screen.click("#allow")

    assert "Ask an admin which group your account must be in" in message(screen)


def test_a_hostile_name_is_shown_as_text(vouching: Vouching, screen: Screen) -> None:
    vouching.provider.claims["name"] = "<img src=x onerror=alert(1)> **Bình** " + "x" * 5000
    open_page(screen, vouching, "/settings")
    go_to_provider(screen)

    screen.click("#allow")

    screen.until(lambda: screen.text(".cw-viewer-name"))
    assert screen.text(".cw-viewer-name")[0].startswith("<img src=x onerror=alert(1)> **Bình** xxx")
