"""What looks after a person, in a real browser: settings hold, the audit's player is the same, keys are listed."""

import time
from contextlib import suppress
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains

from tests.fixtures.browser import Screen
from tests.fixtures.monitor import Monitor

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

LOOKS = "SELECT detail->>'look' FROM audit_log WHERE action = 'saw_media' ORDER BY entry_id"
PICTURES = "img.cw-picture"
TWICE = "2\N{MULTIPLICATION SIGN}"


def is_on(screen: Screen, switch: str) -> bool:
    return bool(screen.driver.execute_script(f"return document.querySelector('.st-key-{switch} input')?.checked"))


def test_what_a_person_chose_holds_after_a_reload_and_for_what_they_see(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1")
    screen.driver.get(f"{monitor.url}/settings?tab=wellness")
    screen.until(lambda: is_on(screen, "mine-stills"))
    muted = "return document.querySelector('.st-key-mine-muted input').disabled"
    assert screen.driver.execute_script(muted) is True

    screen.click(".st-key-mine-stills label")
    screen.until(lambda: not is_on(screen, "mine-stills"))
    screen.click(".st-key-wellness-save-mine button")
    screen.until(lambda: "Kept." in screen.words())
    screen.driver.refresh()
    screen.until(lambda: screen.all(".st-key-mine-stills input"))
    assert not is_on(screen, "mine-stills")
    assert is_on(screen, "all-stills")

    screen.driver.get(monitor.url)
    screen.until(lambda: screen.text(".cw-excerpt"))
    assert not screen.all(PICTURES)
    screen.driver.get(f"{monitor.url}/audit")
    screen.until(lambda: screen.text(".cw-tile"))
    assert not screen.all(".cw-tile-still")


def test_a_video_plays_without_colour_and_as_fast_as_chosen(monitor: Monitor, screen: Screen, tmp_path: Path) -> None:
    monitor.publish_clip("v:1", tmp_path, label="spam")
    screen.driver.get(f"{monitor.url}/settings?tab=wellness")
    screen.click(".st-key-mine-greyscale label")
    screen.until(lambda: is_on(screen, "mine-greyscale"))
    screen.click(".st-key-mine-speed button:last-child")
    screen.until_is(lambda: speed_chosen(screen, "mine-speed"), [TWICE])
    screen.click(".st-key-wellness-save-mine button")
    screen.until(lambda: "Kept." in screen.words())

    screen.driver.get(f"{monitor.url}/?video=v:1")
    screen.until(lambda: screen.all(f"{PICTURES}[src*='grey=1']"))
    screen.click(".st-key-play button")
    screen.until_is(lambda: speed_chosen(screen, "speed"), [TWICE])
    screen.until_is(lambda: playing(screen), [2, "blur(24px) saturate(0.5) grayscale(1)"])
    screen.click(".st-key-speed button:nth-child(2)")
    screen.until_is(lambda: playing(screen)[0], 1.5)
    screen.click(".st-key-unblur button")
    screen.until_is(lambda: playing(screen), [1.5, "grayscale(1)"])

    # What the player's own menu says is not taken back by the next redraw.
    screen.driver.execute_script("document.querySelector('video').playbackRate = 0.5")
    time.sleep(2)
    assert playing(screen)[0] == 0.5


def speed_chosen(screen: Screen, key: str) -> list[str]:
    return screen.text(f".st-key-{key} [aria-checked='true']")


def playing(screen: Screen) -> list[object]:
    """How fast the video plays, and through what it is seen."""
    script = """
    const video = document.querySelector("video");
    return video ? [video.playbackRate, getComputedStyle(video).filter] : [];
    """
    found: list[object] = screen.driver.execute_script(script)
    return found


def test_the_audits_player_is_on_record_and_its_time_counts(monitor: Monitor, screen: Screen, tmp_path: Path) -> None:
    monitor.publish_clip("v:1", tmp_path, frames=500)
    screen.driver.get(f"{monitor.url}/audit?form=detail&video=v:1")
    screen.click(".st-key-play button")
    screen.until(lambda: screen.all(".st-key-rather-not button"))
    screen.click(".st-key-play button")
    screen.click(".st-key-unblur button")

    screen.until(lambda: monitor.rows("SELECT 1 FROM exposure WHERE seconds > 0"))
    assert monitor.rows(LOOKS) == [("opened",), ("unblurred",)]
    screen.until(lambda: "min unblurred today" in screen.words())

    screen.click(".st-key-audit-back button")
    screen.until(lambda: screen.text(".cw-tile"))
    assert not screen.all("video")


def test_every_page_lists_its_keys_and_none_while_typing(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1")
    listed = {"audit?form=detail&video=v:1": "back to the gallery", "settings": "close a menu", "": "next alert"}
    for address, words in listed.items():
        screen.driver.get(f"{monitor.url}/{address}")
        list_keys(screen)
        assert words in screen.text(".st-key-key-list .cw-keys")[0]

    screen.driver.get(f"{monitor.url}/audit")
    screen.click("input[aria-label='Author']")
    press(screen, "?")
    screen.until(lambda: screen.driver.execute_script("return document.activeElement.value") == "?")
    assert not screen.all(".st-key-key-list")


def press(screen: Screen, key: str) -> None:
    ActionChains(screen.driver).send_keys(key).perform()


def list_keys(screen: Screen) -> None:
    """Press `?` until the page listens; a second press in time would hide the list again."""
    screen.until(lambda: screen.text("h1"))
    for _ in range(5):
        press(screen, "?")
        with suppress(AssertionError):
            screen.until(lambda: screen.all(".st-key-key-list"), within_s=3.0)
            return
    raise AssertionError(screen.words())


def test_a_figure_opens_the_videos_it_counts(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1", caption="counted")
    screen.driver.get(monitor.url)

    screen.click("a.cw-figure[href^='audit?verdict=harmful']")

    screen.until(lambda: screen.text(".cw-tile .cw-excerpt") == ["counted"])
    assert "/audit?verdict=harmful" in screen.driver.current_url
