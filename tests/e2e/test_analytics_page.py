"""Analytics in a real browser over a real database: the period, the filters, the way to an author, hostile names."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from core.events import ModalityScore
from core.labels import Modality
from core.settings import StoreSettings
from core.storage.history import TimescaleHistory
from core.storage.policies import PolicyNote, Thresholds
from tests.fixtures.browser import Screen
from tests.fixtures.platform import Platform
from tests.fixtures.stores import Line, make_alert, make_shadow, make_verdict, new_database

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

HOSTILE = "<script>window.pwned=1</script><img src=x onerror='window.pwned=1'>[x](javascript:window.pwned=1)"
BOTH = {Modality.TEXT: ModalityScore(scores={"hate": 0.7}), Modality.VIDEO: ModalityScore(scores={"harmful": 0.9})}
CHARTS = "[class*='st-key-trend-block-'] .stVegaLiteChart canvas, [class*='st-key-trend-block-'] .stVegaLiteChart svg"


@dataclass
class Analytics:
    """The page's address and the database behind it."""

    url: str
    history: TimescaleHistory
    to_database: Line

    def post(self, count: int, *, age: timedelta, **changes: object) -> None:
        at = datetime.now(UTC) - age
        posts = [
            (make_alert if number % 3 == 0 else make_verdict)(
                f"v:{age}:{number}:{changes.get('author_id')}",
                offset=int(at.timestamp()) + number,
                event_time=at + timedelta(seconds=number),
                decided_at=at + timedelta(seconds=number + 1 + number % 4),
                **{**({"modalities": BOTH} if number % 2 else {}), **changes},
            )
            for number in range(count)
        ]
        self.history.write(posts, [])
        self.history.refresh_aggregates(at - timedelta(hours=1))


@pytest.fixture(scope="session")
def trends_dsn(platform: Platform) -> str:
    return new_database(platform, "trends")


@pytest.fixture
def analytics(
    platform: Platform,
    trends_dsn: str,
    line: Callable[[str, int], Line],
    console_at: Callable[[Mapping[str, str]], str],
) -> Iterator[Analytics]:
    """An empty database, which the console reaches over a line that can be cut."""
    tables = "videos, verdicts, contents, sightings, dead_letters, shadow_scores, author_tallies, hashtag_tallies"
    counted = "verdicts_per_quarter_hour, verdicts_per_day, alert_waits_per_quarter_hour, trends_refreshed"
    with psycopg.connect(trends_dsn, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {tables}, {counted}".encode())
    server = conninfo_to_dict(trends_dsn)
    laid = line(str(server["host"]), int(server["port"] or 5432))
    over_line = make_conninfo(trends_dsn, host="127.0.0.1", port=laid.port)
    history = TimescaleHistory(StoreSettings(dsn=SecretStr(trends_dsn)))
    history.note_policy(PolicyNote("7+ab", {"hate": Thresholds(0.5, 0.4)}))
    yield Analytics(console_at({**platform.env, "CLIPWARDEN_STORE__DSN": over_line}), history, laid)
    history.close()


def press(screen: Screen, group: str, words: str) -> None:
    """Press one of a group of buttons; the page may just be drawing them anew."""

    def found() -> bool:
        buttons = [button for button in screen.all(f"{group} button") if button.text == words]
        for button in buttons[:1]:
            button.click()
        return bool(buttons)

    screen.until(found)


def figures(screen: Screen) -> list[str]:
    return screen.text(".cw-totals .cw-figure-value .cw-number")


def test_the_period_is_changed_and_stands_in_the_address(analytics: Analytics, screen: Screen) -> None:
    analytics.post(6, age=timedelta(minutes=20))
    analytics.post(9, age=timedelta(days=3))

    screen.driver.get(f"{analytics.url}/analytics")
    screen.until(lambda: figures(screen)[:2] == ["6", "33 %"])
    screen.until(lambda: len(screen.all(CHARTS)) == 5)

    press(screen, ".st-key-trend-period", "7d")

    screen.until(lambda: figures(screen)[:1] == ["15"])
    assert "period=7d" in screen.driver.current_url


def test_a_filter_narrows_every_figure_and_survives_a_reload(analytics: Analytics, screen: Screen) -> None:
    analytics.post(6, age=timedelta(minutes=20))
    analytics.post(9, age=timedelta(minutes=40), source="crawl")
    screen.driver.get(f"{analytics.url}/analytics")
    screen.until(lambda: figures(screen)[:1] == ["15"])

    screen.click(".st-key-trend-source input")
    screen.until(lambda: "crawl" in screen.text("[role=option]"))
    next(option for option in screen.all("[role=option]") if option.text == "crawl").click()
    screen.until(lambda: figures(screen)[:1] == ["9"])
    assert "source=crawl" in screen.driver.current_url

    screen.driver.refresh()
    screen.until(lambda: figures(screen)[:1] == ["9"])


def test_an_author_leads_to_their_videos(analytics: Analytics, screen: Screen) -> None:
    analytics.post(6, age=timedelta(minutes=20), author_id="a&b c")
    screen.driver.get(f"{analytics.url}/analytics")

    screen.until(lambda: screen.text(".cw-ranked-name") == ["@a&b c"])
    screen.click(".cw-ranked-name")

    screen.until(lambda: "audit?author=a%26b%20c" in screen.driver.current_url)


def test_hostile_names_execute_nothing_and_nothing_is_fetched_from_elsewhere(
    analytics: Analytics, screen: Screen
) -> None:
    strangers = {"author_id": HOSTILE, "hashtags": (HOSTILE,), "source": HOSTILE, "language": "<b>l</b>"}
    analytics.post(6, age=timedelta(minutes=20), model_version=HOSTILE, **strangers)
    labelled = make_alert("v:l", label="<i>a</i>", event_time=datetime.now(UTC), decided_at=datetime.now(UTC))
    analytics.history.write([labelled], [])
    analytics.history.write_shadow([make_shadow("v:l", event_time=datetime.now(UTC), challenger=HOSTILE)])
    analytics.history.refresh_aggregates(datetime.now(UTC) - timedelta(hours=1))

    screen.driver.get(f"{analytics.url}/analytics")
    screen.until(lambda: screen.text(".cw-ranked-name") == [f"@{HOSTILE}", f"#{HOSTILE}"])
    press(screen, ".st-key-trend-view", "By label")
    screen.until(lambda: len(screen.all(CHARTS)) == 5)
    screen.click(".st-key-trend-source input")
    screen.until(lambda: HOSTILE in screen.text("[role=option]"))

    assert screen.driver.execute_script("return window.pwned") is None
    assert not screen.all(".stHtml script, .stHtml img, .stHtml [onerror]")
    asked = screen.driver.execute_script("return performance.getEntriesByType('resource').map((found) => found.name)")
    assert not [name for name in asked if not name.startswith((analytics.url, "data:", "blob:"))], json.dumps(asked)


def test_an_outage_keeps_the_figures_with_their_time(analytics: Analytics, screen: Screen) -> None:
    analytics.post(6, age=timedelta(minutes=20))
    screen.driver.get(f"{analytics.url}/analytics")
    screen.until(lambda: figures(screen)[:1] == ["6"])

    analytics.to_database.cut()
    press(screen, ".st-key-trend-period", "7d")

    screen.until(lambda: any("The database does not answer since" in said for said in screen.text(".cw-notice")))
    assert "Nothing is known of this period" in screen.words()
    analytics.to_database.restore()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width_px", "height_px"), [(1440, 900), (390, 844)])
def test_the_page_fits_the_screen_in_both_themes(
    analytics: Analytics, screen: Screen, scheme: str, width_px: int, height_px: int
) -> None:
    analytics.post(6, age=timedelta(minutes=20), hashtags=("dance",))
    screen.size(width_px, height_px)
    screen.theme(scheme)

    screen.driver.get(f"{analytics.url}/analytics")
    screen.until(lambda: len(screen.all(CHARTS)) == 5)

    assert screen.driver.execute_script("return document.documentElement.scrollWidth") == width_px
