"""Pictures for the documents: every page is on one, and no caption can be read on any."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.settings import RedisSettings
from core.storage.live import RedisLive
from dashboard.navigation import ENTRIES
from operations.screenshots import SIZES_PX, Camera, shoot
from tests.fixtures.browser import Screen
from tests.fixtures.platform import Platform
from tests.fixtures.stores import make_alert

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


@pytest.fixture
def console(platform: Platform, console_at: Callable[[Mapping[str, str]], str]) -> Iterator[str]:
    """A console that shows one alert with a caption."""
    live = RedisLive(RedisSettings(url=platform.settings.redis.url))
    now = datetime.now(UTC)
    live.publish([make_alert("v:shot", event_time=now)], current=frozenset({"v:shot"}), now=now)
    yield console_at(platform.env)
    live.forget("v:shot")
    live.close()


def test_every_page_and_an_open_alert_is_on_a_picture_of_each_size(
    console: str, screen: Screen, tmp_path: Path
) -> None:
    pictures = shoot(screen.driver, console, tmp_path)

    assert len(pictures) == (len(ENTRIES) + 1) * len(SIZES_PX)
    assert screen.all(".st-key-pane-open .cw-caption")
    assert all(path.stat().st_size > 5_000 for path in pictures)


def test_a_caption_is_blurred_and_one_that_is_not_is_noticed(console: str, screen: Screen) -> None:
    with closing(Camera(screen.driver)) as camera:
        camera.open(console)
        screen.until(lambda: screen.all(".cw-excerpt"))
        assert camera.exposed() == 0

        screen.driver.execute_script("document.getElementById('tender').textContent = ''")

        assert camera.exposed() > 0


def test_what_is_opened_after_the_camera_was_closed_is_as_it_is(console: str, screen: Screen) -> None:
    with closing(Camera(screen.driver)) as camera:
        camera.open(console)
        screen.until(lambda: screen.all(".cw-excerpt"))
        assert camera.exposed() == 0

    screen.driver.refresh()
    screen.until(lambda: screen.all(".cw-excerpt"))

    assert camera.exposed() > 0


def test_what_is_no_console_is_said_in_one_line(free_port: int, screen: Screen, tmp_path: Path) -> None:
    for entry, said in (("127.0.0.1:8501", "is no address"), (f"http://127.0.0.1:{free_port}", "cannot be opened")):
        with pytest.raises(ConfigError, match=said) as refused:
            shoot(screen.driver, entry, tmp_path)
        assert "\n" not in str(refused.value)
