"""The open alert in a real browser: stills first, the video only on request and on record, decisions written once."""

import io
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest
import urllib3
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from core.events import Segment
from tests.fixtures.browser import Screen
from tests.fixtures.monitor import Monitor

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

READY = "return document.querySelector('video')?.readyState >= 2"
LOOKS = "SELECT detail->>'look' FROM audit_log WHERE action = 'saw_media' ORDER BY entry_id"
DECISIONS = "SELECT decision, labels, answers, reason, note, played FROM review_decisions ORDER BY decided_at"
HOSTILE_NOTE = "<img src=x onerror='window.pwned=1'>"


def press(screen: Screen, *keys: str) -> None:
    ActionChains(screen.driver).send_keys(*keys).perform()


def play(screen: Screen) -> None:
    """Ask for the player, past its warning."""
    screen.click(".st-key-play button")
    screen.until(lambda: screen.all(".st-key-rather-not button"))
    screen.click(".st-key-play button")
    screen.until(lambda: screen.driver.execute_script(READY))


def chosen(screen: Screen, key: str) -> bool:
    return bool(screen.all(f".st-key-{key} button[kind='primary']"))


def test_the_video_is_blurred_muted_and_still_until_the_person_asks(
    monitor: Monitor, screen: Screen, tmp_path: Path
) -> None:
    segments = (Segment(start_s=0, end_s=3.4, score=0.1), Segment(start_s=3.4, end_s=8, score=0.9))
    monitor.publish_clip("v:1", tmp_path, segments=segments)

    screen.driver.get(monitor.url)
    screen.click(".st-key-card-0 button")
    screen.until(lambda: screen.all(".st-key-play button"))
    assert not screen.all("video")
    play(screen)
    state = """
        const video = document.querySelector('video');
        return [video.muted, video.paused, video.currentTime, getComputedStyle(video).filter];
    """
    muted, paused, at_s, blur = screen.driver.execute_script(state)
    assert (muted, paused, at_s) == (True, True, 3)
    assert "blur(" in blur

    screen.click(".st-key-unblur button")
    screen.until(lambda: screen.all(".st-key-blur button"))
    assert screen.driver.execute_script(state)[3] == "none"
    assert monitor.rows(LOOKS) == [("opened",), ("unblurred",)]
    screen.until(lambda: monitor.rows("SELECT 1 FROM exposure WHERE seconds > 0"))


def test_time_counts_while_a_video_plays_unblurred_and_only_then_was_it_played(
    monitor: Monitor, screen: Screen, tmp_path: Path
) -> None:
    monitor.publish_clip("v:1", tmp_path, frames=500)
    screen.driver.get(f"{monitor.url}/?video=v:1")
    play(screen)
    save(screen)
    screen.click(".st-key-unblur button")
    screen.until(lambda: screen.all(".st-key-blur button"))

    screen.driver.execute_script("document.querySelector('video').play()")
    screen.until(lambda: monitor.rows("SELECT 1 FROM exposure WHERE seconds > 5"), within_s=30)
    assert screen.driver.execute_script("return document.querySelector('video').paused") is False
    save(screen)

    screen.until(lambda: len(monitor.rows(DECISIONS)) == 2)
    assert [played for *_, played in monitor.rows(DECISIONS)] == [False, True]


def save(screen: Screen) -> None:
    """Confirm the first label."""
    screen.click(".st-key-confirm-0 button")
    screen.until(lambda: chosen(screen, "confirm-0"))
    screen.insist(lambda: screen.click(".st-key-decide-save button"), lambda: not chosen(screen, "confirm-0"))


def test_the_player_is_not_restarted_by_the_pages_own_redraw(monitor: Monitor, screen: Screen, tmp_path: Path) -> None:
    monitor.publish_clip("v:1", tmp_path, frames=500)
    screen.driver.get(f"{monitor.url}/?video=v:1")
    play(screen)

    screen.driver.execute_script("const v = document.querySelector('video'); v.mine = 1; v.play()")

    playing = "const v = document.querySelector('video'); return v.mine === 1 && !v.paused && v.currentTime > 4"
    screen.until(lambda: screen.driver.execute_script(playing))


def test_the_list_shows_blurred_stills_and_nobody_else_gets_them(
    monitor: Monitor, screen: Screen, tmp_path: Path
) -> None:
    monitor.publish_clip("v:1", tmp_path)
    screen.driver.get(monitor.url)
    picture = "const i = document.querySelector('img.cw-picture'); return i?.complete ? [i.src, i.naturalWidth] : null"
    screen.until(lambda: (screen.driver.execute_script(picture) or ["", 0])[1] > 100)

    source = screen.driver.execute_script(picture)[0]
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in screen.driver.get_cookies())
    answer = urllib3.request("GET", source, headers={"Cookie": cookies})

    assert (answer.status, answer.headers["Content-Type"]) == (HTTPStatus.OK, "image/jpeg")
    assert answer.headers["Cache-Control"].startswith("private")
    plain = np.asarray(Image.open(io.BytesIO(answer.data)).convert("L")).astype(float)
    assert max(np.abs(np.diff(plain, axis=axis)).max() for axis in (0, 1)) < 16
    assert urllib3.request("GET", source).status == HTTPStatus.FORBIDDEN
    for wrong in ("v:none", "..%2f..%2fetc%2fpasswd", "%00", "x" * 200):
        url = f"{monitor.url}/still/{wrong}"
        answer = urllib3.request("GET", url, headers={"Cookie": cookies})
        assert answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}, wrong
    assert monitor.rows(LOOKS) == []


def test_a_person_decides_per_label_with_a_reason_and_the_row_is_there_once(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1", caption="first")
    screen.driver.get(f"{monitor.url}/?video=v:1")

    screen.click(".st-key-confirm-0 button")
    screen.until(lambda: chosen(screen, "confirm-0"))
    screen.click(".st-key-reject-1 button")
    screen.until(lambda: chosen(screen, "reject-1"))
    screen.click(".st-key-decide [data-testid='stSelectbox'] input")
    screen.until(lambda: screen.all("[role=option]"))
    next(option for option in screen.all("[role=option]") if option.text == "The context decides").click()
    screen.click(".st-key-decide .stTextInput input")
    press(screen, HOSTILE_NOTE, Keys.ENTER)
    save = screen.driver.find_element(By.CSS_SELECTOR, ".st-key-decide-save button")
    ActionChains(screen.driver).double_click(save).perform()

    screen.until(lambda: screen.text(".cw-decision-row"))
    answers = {"violence": "confirm", "hate": "reject"}
    assert monitor.rows(DECISIONS) == [("confirm", ["violence"], answers, "context", HOSTILE_NOTE, False)]
    assert len(monitor.rows("SELECT 1 FROM audit_log WHERE action = 'decided'")) == 1
    assert screen.driver.execute_script("return window.pwned") is None
    screen.until(lambda: len([said for said in screen.text(".cw-decision") if said.startswith("✓confirmed by")]) == 2)

    screen.click(".st-key-decided label")
    screen.until(lambda: "Everything here is decided" in screen.text(".cw-empty-title"))
    assert "decided=hidden" in screen.driver.current_url


def test_the_hands_stay_on_the_keys_and_no_key_acts_while_typing(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1", caption="first", age_s=5)
    monitor.publish("v:2", caption="second")
    screen.driver.get(f"{monitor.url}/?video=v:2")
    screen.until(lambda: screen.text(".cw-caption") == ["second"])

    screen.insist(lambda: press(screen, "j"), lambda: screen.text(".cw-caption") == ["first"])
    press(screen, "2")
    screen.until(lambda: chosen(screen, "reject-0"))
    screen.click(".st-key-decide .stTextInput input")
    press(screen, "1jks?")
    screen.until(lambda: screen.driver.execute_script("return document.activeElement.value") == "1jks?")
    press(screen, Keys.TAB)
    assert chosen(screen, "reject-0")
    assert not screen.all(".st-key-key-list")
    assert screen.text(".cw-caption") == ["first"]

    screen.driver.execute_script("document.activeElement.blur()")
    press(screen, "?")
    screen.until(lambda: "undo your last decision on this video" in screen.words())
    screen.until(lambda: press(screen, "s") or monitor.rows(DECISIONS))
    assert monitor.rows(DECISIONS)[0][0] == "reject"
    screen.until(lambda: screen.all(".st-key-undo button"))
    press(screen, "z")
    screen.until(lambda: monitor.rows("SELECT 1 FROM review_decisions WHERE undone_at IS NOT NULL"))


def test_what_one_author_floods_is_one_card_that_can_be_spread(monitor: Monitor, screen: Screen) -> None:
    for number in range(5):
        monitor.publish(f"v:{number}", author_id="<b>an", caption=f"number {number}", age_s=50 - number)
    monitor.publish("v:worse", author_id="<b>an", caption="much worse", score=1.2)
    screen.driver.get(monitor.url)

    screen.until(lambda: screen.text(".cw-excerpt") == ["much worse", "number 0"])
    assert screen.text(".cw-group") == ["\u00d75 from @<b>an in 1 min"]
    screen.click("[class*='st-key-spread-v'] button")
    screen.until(lambda: len(screen.text(".cw-excerpt")) == 6)


def test_the_page_speaks_the_browsers_vietnamese(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1")
    agent = screen.driver.execute_script("return navigator.userAgent")
    as_one_of = {"userAgent": agent, "acceptLanguage": "vi"}
    screen.driver.execute_cdp_cmd("Emulation.setUserAgentOverride", as_one_of)
    try:
        screen.driver.get(f"{monitor.url}/?video=v:1")

        screen.until(lambda: all(said in screen.words() for said in ("Xác nhận", "độc hại", "Cảnh báo 1")))
    finally:
        screen.driver.execute_cdp_cmd("Emulation.setUserAgentOverride", {**as_one_of, "acceptLanguage": "en-US"})


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width_px", "height_px"), [(1440, 900), (390, 844)])
def test_a_picture_of_an_open_alert_in_both_themes(
    monitor: Monitor, screen: Screen, tmp_path: Path, scheme: str, width_px: int, height_px: int
) -> None:
    monitor.publish_clip("v:1", tmp_path, caption="a made-up caption")
    monitor.publish("v:2", caption="a second made-up caption", age_s=5)
    screen.size(width_px, height_px)
    screen.theme(scheme)

    screen.driver.get(f"{monitor.url}/?video=v:1")
    screen.until(lambda: screen.all(".st-key-decide-save button"))

    assert screen.driver.save_screenshot(str(tmp_path / "page.png"))
    assert (tmp_path / "page.png").stat().st_size > 10_000
    assert screen.driver.execute_script("return document.documentElement.scrollWidth") == width_px
