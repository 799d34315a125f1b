import html
import re
from datetime import date, timedelta, timezone
from urllib.parse import parse_qsl

import pytest

from core.access import Person, Role
from dashboard.audit_address import parse
from dashboard.data import trends_sql
from dashboard.data.search_query import Query
from dashboard.data.trends import Trends
from dashboard.language import KEY
from dashboard.period import Choice, Period, window_of
from dashboard.trend_queries import ask
from tests.fixtures.console import Console, shown
from tests.fixtures.stores import NOON

HOSTILE = "<script>window.pwned=1</script>[x](javascript:1)&?#%"


def test_before_anything_was_counted_it_says_what_to_do(console: Console) -> None:
    page = shown(console.open_analytics())

    assert "Nothing is counted yet" in page
    assert "clipwarden produce clip.mp4" in page


def test_every_block_says_what_it_is_of(console: Console) -> None:
    console.trends.fill()

    page = console.open_analytics()

    words = shown(page)
    assert "10 %" in words
    assert "6.6\u201314.9 %" in words
    assert "+5.0 points against the period before" in words
    assert "+102 % against" in words
    assert all(f"n = {number}" in words for number in (30, 200, 190, 2, 20))
    assert "thresholds of 7+ab" in words
    assert len(page.get("vega_lite_chart")) == 5


def test_a_model_version_tells_how_long_its_alerts_waited(console: Console) -> None:
    console.trends.fill()

    cells = re.findall(r"<td[^>]*>([^<]*)</td>", shown(console.open_analytics()))

    assert ("20", "1.0 s", "2.6 s") in zip(cells, cells[1:], cells[2:], strict=False)


def test_names_lead_to_their_videos_and_are_shown_letter_by_letter(console: Console) -> None:
    console.trends.fill(hashtag=HOSTILE)

    words = shown(console.open_analytics())

    assert 'href="audit?author=a1&amp;' in words
    assert (
        'href="audit?hashtag=%3Cscript%3Ewindow.pwned%3D1%3C%2Fscript%3E%5Bx%5D%28javascript%3A1%29%26%3F%23%25&amp;'
        in words
    )
    assert "<script>" not in words
    assert "9 of 30" in words


def test_a_name_leads_to_the_videos_that_were_counted(console: Console) -> None:
    console.trends.fill()

    words = html.unescape(shown(console.open_analytics(period="1h", source="crawl", language="vi", label="hate")))

    (found,) = re.findall(r'href="audit\?(author=[^"]+)"', words)
    asked = parse(dict(parse_qsl(found))).query
    end = NOON + timedelta(minutes=15)
    assert asked == Query(
        author="a1", source="crawl", language="vi", label="hate", since=end - timedelta(hours=1), until=end
    )


def test_a_window_that_is_not_over_is_compared_by_the_hour(console: Console) -> None:
    console.trends.fill()
    console.trends.rows[trends_sql.TOTALS] = [(100, 5, 5, 100, 25.0, 10, 200, 10, 10, 200, 50.0, 10)]

    words = shown(console.open_analytics(period="custom", **{"from": "2026-03-01", "to": "2026-03-01"}))

    assert words.count("+0 % against") == 1
    assert words.count("+100 % against") == 1


def test_a_period_without_videos_is_no_first_start(console: Console) -> None:
    console.trends.fill()
    console.trends.rows[trends_sql.TOTALS] = [(0, 0, 0, 0, 0.0, 0, 100, 5, 5, 100, 25.0, 0)]

    page = console.open_analytics(period="1h")

    assert "No video in this period" in shown(page)
    page.button(key="trend-longer").click().run()
    assert page.query_params["period"] == "30d"


def test_an_outage_shows_what_was_known_with_its_time(console: Console) -> None:
    console.trends.fill()
    page = console.open_analytics()

    console.trends.is_down = True
    console.clock.at, console.clock.elapsed_s = NOON + timedelta(minutes=62), 3720
    console.redraw(page)

    words = shown(page)
    assert "No video in this period" not in words
    assert "n = 200" in words
    assert "The database does not answer since 13:02:00" in words
    assert "as of 2026-03-01 12:00:00 UTC" in words
    assert "9 of 30" in words


def test_an_outage_from_the_start_is_never_no_data(console: Console) -> None:
    console.trends.is_down = True

    words = shown(console.open_analytics())

    assert "Nothing is known of this period" in words
    assert "produce clip.mp4" not in words
    assert console.trends.asked == 1


def test_filters_stand_in_the_address(console: Console) -> None:
    console.trends.fill()
    page = console.open_analytics(source="crawl")
    assert page.selectbox(key="trend-source").value == "crawl"

    page.selectbox(key="trend-label").select("hate").run()

    assert page.query_params == {"source": "crawl", "label": "hate"}


def test_an_answer_is_drawn_with_the_window_it_is_of(console: Console) -> None:
    console.trends.fill()
    console.clock.at = NOON + timedelta(minutes=14, seconds=50)
    page = console.open_analytics()
    asked = console.trends.asked

    console.clock.at += timedelta(seconds=20)
    console.redraw(page)

    assert console.trends.asked == asked
    assert "No video in this period" not in shown(page)
    assert "n = 200" in shown(page)


def test_the_same_days_in_another_time_zone_are_another_question(console: Console) -> None:
    choice = Choice(Period.CUSTOM, date(2026, 2, 1), date(2026, 2, 2))
    windows = [window_of(choice, NOON, timezone(timedelta(hours=hours))) for hours in (0, 7)]
    person = Person("v", "v", Role.VIEWER)

    told = [ask(person, Trends.series, choice, window).value.window for window in windows]

    assert told == windows
    assert console.trends.asked == 2


def test_a_day_beyond_the_other_takes_it_along(console: Console) -> None:
    console.trends.fill()
    page = console.open_analytics(period="custom", **{"from": "2026-02-01", "to": "2026-02-10"})

    page.date_input(key="trend-from").set_value(date(2026, 2, 20)).run()

    assert page.query_params == {"period": "custom", "from": "2026-02-20", "to": "2026-02-20"}
    assert [box.value for box in page.date_input] == [date(2026, 2, 20)] * 2


@pytest.mark.parametrize(("first", "last"), [("2020-01-01", "9999-12-31"), ("0001-01-01", "0001-01-02"), ("", "x")])
def test_days_that_are_none_mean_the_last_one(console: Console, first: str, last: str) -> None:
    console.trends.fill()

    page = console.open_analytics(period="custom", **{"from": first, "to": last}, source="\x00")

    assert page.segmented_control(key="trend-period").value == "24h"
    assert not page.date_input


def test_the_way_verdicts_are_shown_stands_in_the_address(console: Console) -> None:
    console.trends.fill()
    page = console.open_analytics(view="every")
    assert page.segmented_control(key="trend-view").value == "every"

    page.segmented_control(key="trend-view").select("label").run()
    assert page.query_params == {"view": "label"}

    page.segmented_control(key="trend-view").select("flagged").run()
    assert page.query_params == {}


def test_answers_are_shared_for_a_while(console: Console) -> None:
    console.trends.fill()
    page = console.open_analytics()
    asked = console.trends.asked

    console.redraw(page)
    assert console.trends.asked == asked

    console.clock.elapsed_s = 60
    console.redraw(page)
    assert console.trends.asked == 2 * asked


def test_who_may_not_see_verdicts_gets_no_figures(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    console.trends.fill()
    console.open_analytics()
    monkeypatch.setattr("core.access.CAPABILITIES", dict.fromkeys(Role, frozenset()))
    monkeypatch.setattr("dashboard.views.analytics.viewer", lambda: Person("v", "v", Role.VIEWER))

    words = shown(console.open_analytics())

    assert "No right to see this" in words
    assert "9 of 30" not in words


def test_it_reads_in_vietnamese(console: Console) -> None:
    console.trends.fill()
    page = console.open_analytics()

    page.session_state[KEY] = "vi"
    console.redraw(page)

    assert "tỷ lệ độc hại" in shown(page)
