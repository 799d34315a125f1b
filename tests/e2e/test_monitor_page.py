"""The live monitor in a real browser over real stores: what is published is seen, and nothing of it executes."""

from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from core.events import CaptionSpan
from core.labels import VerdictKind
from tests.fixtures.browser import Screen
from tests.fixtures.monitor import Monitor

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

HOSTILE = (
    "<script>window.pwned=1</script><img src=x onerror='window.pwned=1'><svg onload='window.pwned=1'> "
    "[x](javascript:window.pwned=1) **bold** $latex$ :material/home: :red[red] &amp; &#60;\n\n    indented\t"
    "\u0645\u0631\u062d\u0628\u0627 "
)
SHOWN_WITHIN_S = 3.0


def test_an_alert_published_after_load_is_on_the_screen_within_3_s_without_a_reload(
    monitor: Monitor, screen: Screen
) -> None:
    monitor.beat()
    screen.driver.get(monitor.url)
    screen.until(lambda: "Waiting for the first video" in screen.text(".cw-empty-title"))
    screen.driver.execute_script("window.loaded = 'once'")

    monitor.publish("v:1", caption="fresh from the stream")

    screen.until(lambda: screen.text(".cw-excerpt") == ["fresh from the stream"], within_s=SHOWN_WITHIN_S)
    assert screen.driver.execute_script("return window.loaded") == "once"


def test_a_hostile_caption_is_shown_letter_by_letter_and_nothing_executes(monitor: Monitor, screen: Screen) -> None:
    whole = HOSTILE + "x" * (10_000 - len(HOSTILE))
    strangers: dict[str, Any] = {
        "author_id": HOSTILE[:200],
        "language": "<b>l</b>**l**",
        "source": ":red[s]<img src=x>",
        "label": "<i>a</i>",
    }
    spans = (CaptionSpan(start=0, end=31, score=0.9), CaptionSpan(start=20, end=60, score=0.5))
    monitor.publish("v:1", caption=whole, caption_spans=spans, **strangers)

    screen.driver.get(f"{monitor.url}/?video=v:1")

    screen.until(lambda: screen.text(".cw-caption"))
    assert screen.text(".cw-caption") == [whole]
    assert "".join(screen.text(".cw-caption mark")) == whole[:60]
    assert any(strangers["author_id"] in line for line in screen.text(".cw-byline"))
    screen.click(".st-key-label input")
    screen.until(lambda: "<i>a</i>" in screen.text("[role=option]"))
    assert screen.driver.execute_script("return window.pwned") is None
    assert all(source.startswith(monitor.url + "/still/v%3A1?") for source in pictures(screen))
    assert not screen.all(
        ".stHtml script, .stHtml img:not(.cw-picture), .stHtml svg, "
        ".stHtml a:not(.cw-figure), .stHtml i:not(.cw-spark i)"
    )


def test_a_control_character_is_seen(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1", caption="a\x01b\x1b\r")

    screen.driver.get(monitor.url)

    screen.until(lambda: screen.text(".cw-excerpt") == ["a\u2401b\u241b\u240d"])


def test_an_open_alert_holds_the_list_and_the_pill_lets_it_go(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1", caption="first", age_s=5)
    screen.driver.get(monitor.url)
    screen.click(".st-key-card-0 button")
    screen.until(lambda: screen.text(".cw-caption") == ["first"])
    assert "video=v%3A1" in screen.driver.current_url

    monitor.publish("v:2", caption="second")

    screen.until(lambda: screen.text(".st-key-show-new button"))
    assert "1 new, show" in screen.text(".st-key-show-new button")[0]
    assert screen.text(".cw-excerpt") == ["first"]
    screen.click(".st-key-show-new button")
    screen.until(lambda: screen.text(".cw-excerpt") == ["second", "first"])


def test_the_list_stands_still_while_the_mouse_rests_on_it(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1", caption="first", age_s=5)
    screen.driver.get(f"{monitor.url}/?follow=1")
    screen.until(lambda: screen.text(".cw-excerpt") == ["first"])
    screen.until(lambda: rests_on(screen, ".st-key-card-0") and "Held while you read" in screen.text(".cw-status")[0])

    monitor.publish("v:2", caption="second")
    screen.until(lambda: screen.all(".st-key-show-new"))
    assert screen.text(".cw-excerpt") == ["first"]

    screen.until(lambda: rests_on(screen, ".st-key-head h1") and screen.text(".cw-excerpt") == ["second", "first"])


def pictures(screen: Screen) -> list[str]:
    """Where the page's stills come from."""
    found: list[str] = screen.driver.execute_script(
        "return [...document.querySelectorAll('img.cw-picture')].map(i => i.src)"
    )
    return found


def rests_on(screen: Screen, selector: str) -> bool:
    """Move the mouse there as a hand does, which is never quite still; false while the page draws it anew."""
    try:
        there = screen.driver.find_element(By.CSS_SELECTOR, selector)
        ActionChains(screen.driver).move_to_element(there).move_by_offset(1, 1).perform()
    except (NoSuchElementException, StaleElementReferenceException):
        return False
    return True


def test_a_filter_stands_in_the_address_and_survives_a_reload(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1", caption="first", language="en")
    monitor.publish("v:2", caption="second", language="vi")
    screen.driver.get(monitor.url)
    screen.until(lambda: len(screen.text(".cw-excerpt")) == 2)

    screen.click(".st-key-language input")
    screen.until(lambda: "en" in screen.text("[role=option]"))
    next(option for option in screen.all("[role=option]") if option.text == "en").click()
    screen.until(lambda: screen.text(".cw-excerpt") == ["first"])
    assert "language=en" in screen.driver.current_url

    screen.driver.refresh()
    screen.until(lambda: screen.text(".cw-excerpt") == ["first"])


def test_on_a_telephone_an_alert_opens_over_the_list_with_a_way_back(monitor: Monitor, screen: Screen) -> None:
    screen.size(390, 844)
    monitor.publish("v:1", caption="first")
    screen.driver.get(monitor.url)
    screen.click(".st-key-card-0 button")
    screen.until(lambda: screen.text(".cw-caption") == ["first"])
    covered = """
        const pane = document.querySelector('.st-key-pane-open').getBoundingClientRect();
        return [pane.x, pane.y, pane.width, pane.height];
    """
    assert screen.driver.execute_script(covered) == [0, 0, 390, 844]

    screen.click(".st-key-go-close button")

    screen.until(lambda: not screen.all(".st-key-pane-open"))
    assert screen.driver.execute_script("return document.documentElement.scrollWidth") == 390


def test_a_store_that_is_down_is_named_and_comes_back_by_itself(monitor: Monitor, screen: Screen) -> None:
    monitor.beat()
    monitor.publish("v:1", caption="kept")
    screen.driver.get(monitor.url)
    screen.until(lambda: screen.text(".cw-excerpt") == ["kept"])

    monitor.to_redis.cut()

    screen.until(lambda: any("Redis does not answer since" in said for said in screen.text(".cw-notice")))
    assert screen.text(".cw-excerpt") == ["kept"]
    monitor.to_redis.restore()
    screen.until(lambda: not screen.text(".cw-notice"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width_px", "height_px"), [(1440, 900), (390, 844)])
def test_a_picture_of_every_verdict_in_both_themes(
    monitor: Monitor, screen: Screen, tmp_path: Path, scheme: str, width_px: int, height_px: int
) -> None:
    for place, kind in enumerate(VerdictKind):
        monitor.publish(f"v:{kind}", age_s=place, verdict=kind, caption=f"a made-up caption, {kind.value}")
    monitor.beat()
    screen.size(width_px, height_px)
    screen.theme(scheme)

    screen.driver.get(f"{monitor.url}/?show=all")
    screen.until(lambda: len(screen.text(".cw-card")) == len(VerdictKind))

    assert screen.driver.save_screenshot(str(tmp_path / "page.png"))
    assert (tmp_path / "page.png").stat().st_size > 10_000
    colours = screen.driver.execute_script(
        "return [...document.querySelectorAll('.cw-card .cw-mark')].map((mark) => getComputedStyle(mark).color)"
    )
    assert len(set(colours)) == len(VerdictKind)


def test_the_page_people_start_on_is_found_by_its_name_too(monitor: Monitor, screen: Screen) -> None:
    monitor.publish("v:1", caption="found by name")

    screen.driver.get(f"{monitor.url}/live?video=v:1")

    screen.until(lambda: screen.text(".cw-caption") == ["found by name"])
    assert screen.driver.current_url == f"{monitor.url}/?video=v%3A1"
