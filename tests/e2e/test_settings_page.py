"""Settings in a real browser: one's own password and language, the way out everywhere, the people of the console."""

import pytest
from selenium.webdriver.common.keys import Keys

from core.access import Role
from core.storage.people import Account
from dashboard.navigation import ENTRIES
from dashboard.views.settings import TABS
from tests.fixtures.browser import Screen
from tests.fixtures.entrance import Entrance, is_in, sign_in
from tests.fixtures.people import GOOD, OPERATOR

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

NEW = "another horse, another battery"
NOW_FIELD, NEW_FIELD = "Password now, if you have one", "New password, at least 12 characters"


def write(screen: Screen, label: str, words: str) -> None:
    field = f"input[aria-label='{label}']"
    screen.until(lambda: screen.all(field))
    screen.all(field)[0].send_keys(words)


def choose(screen: Screen, key: str, words: str) -> None:
    """Pick from a list that one can type into."""
    field = f"[class*='st-key-{key}'] input"
    screen.until(lambda: screen.all(field))
    screen.all(field)[0].send_keys(Keys.CONTROL, "a")
    screen.all(field)[0].send_keys(words)
    screen.until(lambda: words in screen.text("[role=option]"))
    next(option for option in screen.all("[role=option]") if option.text == words).click()


def told(screen: Screen) -> list[str]:
    return screen.text(".cw-notice b")


def change_password(screen: Screen, now: str, new: str) -> None:
    write(screen, NOW_FIELD, now)
    write(screen, NEW_FIELD, new)
    screen.click(".stForm button[data-testid=stBaseButton-secondaryFormSubmit]")


def test_a_person_changes_their_own_password_and_signs_in_with_it(entrance: Entrance, screen: Screen) -> None:
    sign_in(screen, GOOD)
    screen.until(lambda: is_in(screen))
    change_password(screen, "not " + GOOD, NEW)
    screen.until(lambda: told(screen) == ["that is not your password"])
    change_password(screen, GOOD, "short")
    screen.until(lambda: told(screen) == ["a password has 12 to 256 characters; choose another one"])

    change_password(screen, GOOD, NEW)

    # Every session of theirs ended with the password before, this one too.
    sign_in(screen, GOOD)
    screen.until(lambda: screen.text(".message") == ["The name or the password is not right."])
    sign_in(screen, NEW)
    screen.until(lambda: is_in(screen))


def test_signing_out_everywhere_ends_another_browsers_page_within_seconds(entrance: Entrance, screen: Screen) -> None:
    sign_in(screen, GOOD)
    screen.until(lambda: is_in(screen))
    other = screen.driver.current_window_handle
    # An open page keeps the session it came with: a window with another cookie is another browser to the console.
    screen.driver.delete_all_cookies()
    screen.driver.switch_to.new_window("tab")
    screen.driver.get(f"{entrance.url}/settings")
    sign_in(screen, GOOD)
    screen.until(lambda: is_in(screen))

    screen.click(".st-key-sign-out-everywhere button")

    screen.until(lambda: screen.all("input[name=password]"), within_s=8)
    screen.driver.close()
    screen.driver.switch_to.window(other)
    screen.until(lambda: screen.all("input[name=password]"), within_s=8)


def test_an_admin_adds_a_person_gives_another_role_and_shuts_them_out(entrance: Entrance, screen: Screen) -> None:
    def account() -> Account:
        return entrance.office.people.find(OPERATOR, "Chi <b>")

    screen.driver.get(entrance.office.entry(entrance.url))
    screen.driver.get(f"{entrance.url}/settings?tab=people")
    choose(screen, "people-as", "Moderator")
    write(screen, "Name", "Chi <b>")
    screen.click(".stForm button[data-testid=stBaseButton-secondaryFormSubmit]")
    screen.until(lambda: told(screen) == ["Added."])
    assert account().person.role is Role.MODERATOR

    choose(screen, "people-who", "Chi <b>")
    choose(screen, f"people-role-{account().person.user_id}", "Lead")
    screen.click(".st-key-give-role button")
    screen.until(lambda: told(screen) == ["The role is given; their sessions ended."])
    assert account().person.role is Role.LEAD

    screen.click(".st-key-disable button")
    screen.until(lambda: told(screen) == ["Shut out; their sessions ended."])
    assert account().disabled_at is not None
    screen.until(lambda: screen.all(".st-key-enable button"))


def test_the_chosen_language_holds_after_a_reload_and_in_what_is_refused(entrance: Entrance, screen: Screen) -> None:
    sign_in(screen, GOOD)
    screen.until(lambda: is_in(screen))
    screen.until(lambda: screen.all(".st-key-language-choice button"))
    next(button for button in screen.all(".st-key-language-choice button") if button.text == "Tiếng Việt").click()
    screen.until(lambda: screen.text(".st-key-head h1") == ["Cài đặt"])

    screen.driver.refresh()

    screen.until(lambda: screen.text(".st-key-head h1") == ["Cài đặt"])
    assert "Settings" not in screen.words()
    write(screen, "Mật khẩu hiện tại, nếu có", "not " + GOOD)
    write(screen, "Mật khẩu mới, ít nhất 12 ký tự", NEW)
    screen.click(".stForm button[data-testid=stBaseButton-secondaryFormSubmit]")
    screen.until(lambda: told(screen) == ["đó không phải mật khẩu của bạn"])
    next(button for button in screen.all(".st-key-language-choice button") if button.text == "English").click()
    screen.until(lambda: screen.text(".st-key-head h1") == ["Settings"])


def test_a_viewer_is_told_of_each_page_that_it_is_not_theirs_and_whose_it_is(
    entrance: Entrance, screen: Screen
) -> None:
    viewer = entrance.office.person(Role.VIEWER)
    screen.driver.get(entrance.office.entry(entrance.url, Role.VIEWER))
    closed = [entry.path for entry in ENTRIES if not viewer.may(entry.needs)]
    closed += [f"settings?tab={tab.path}" for tab in TABS if tab.needs and not viewer.may(tab.needs)]
    assert {"pipeline", "ingestion", "database", "settings?tab=people"} <= set(closed)

    for path in closed:
        screen.driver.get(f"{entrance.url}/{path}")
        screen.until(lambda: screen.text(".cw-empty-title") == ["No right to see this"])
        assert "It takes one of these roles: " in screen.text(".cw-empty")[0]
        assert len(screen.all(".stAlert, .stException, [role=dialog]")) == 0

    for entry in ENTRIES:
        if viewer.may(entry.needs):
            screen.driver.get(f"{entrance.url}/{entry.path}")
            screen.until(lambda: screen.text("h1"))
            assert "No right to see this" not in screen.words()
