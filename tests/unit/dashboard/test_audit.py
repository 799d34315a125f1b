from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, timedelta

import pytest
from pydantic import SecretStr
from streamlit.testing.v1 import AppTest

from core.access import Person, Role
from core.events import Verdict
from core.settings import StoreSettings
from dashboard import audit_queries, queries
from dashboard.audit_cards import tile
from dashboard.data.media import Look
from dashboard.data.search_rows import Row, Story
from dashboard.data.wellness import Blur, Veil, Wellness
from dashboard.exposure import STEP_S
from tests.fixtures.console import Console, browser_says, play, shown
from tests.fixtures.stores import NOON, make_alert


class Found:
    """One video is found, and nothing ever happened to it."""

    def verdict(self, _person: Person, video_id: str) -> Verdict:
        return make_alert(video_id)

    def story(self, _person: Person, _video_id: str) -> Story:
        return Story([], [], [])


def _detail() -> None:
    from datetime import UTC, datetime  # noqa: PLC0415 - run as a script of its own

    from dashboard.audit_detail import detail  # noqa: PLC0415 - as above
    from dashboard.audit_session import address  # noqa: PLC0415 - as above
    from dashboard.data.search_rows import Page  # noqa: PLC0415 - as above
    from dashboard.viewer import viewer  # noqa: PLC0415 - as above

    detail(viewer(), Page(), address(), now=datetime.now(UTC), zone=UTC)


@pytest.fixture
def opened(console: Console, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """A video in detail."""
    console.history.write([make_alert("v:1")], [])
    monkeypatch.setattr("dashboard.audit_queries.search", Found)
    found = AppTest.from_function(_detail, default_timeout=30)
    found.query_params["video"] = "v:1"
    return console.redraw(found)


def _audit() -> None:
    from dashboard.views import audit  # noqa: PLC0415 - run as a script of its own

    audit.page()


@pytest.fixture
def page(console: Console, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The page over a database that does not answer."""
    monkeypatch.setattr("core.storage.database.WAIT_S", 0.2)
    nowhere = StoreSettings(dsn=SecretStr("postgresql://x@127.0.0.1:9/x"))
    console.settings = console.settings.model_copy(update={"store": nowhere})
    yield AppTest.from_function(_audit, default_timeout=30)
    audit_queries.database().close()


def test_a_database_that_is_down_is_named_with_since_when(page: AppTest) -> None:
    page.run()

    assert not page.exception
    assert "The database does not answer since 12:00:00" in shown(page)
    assert "No video" not in shown(page)


def test_who_may_not_see_verdicts_is_told_so_before_the_database_is_asked(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.access.CAPABILITIES", {role: frozenset() for role in Role})
    monkeypatch.setattr("dashboard.views.audit.viewer", lambda: Person("v", "V", Role.VIEWER))

    page.run()

    assert "No right to see this" in shown(page)
    assert "does not answer" not in shown(page)


def test_time_spent_with_an_unblurred_video_counts_here_too(
    console: Console, opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.desk.set_default(Person("le", "Lê", Role.LEAD), Wellness(limit_min=1))
    browser_says(monkeypatch, seen=True)
    play(opened).button(key="unblur").click().run()

    for _ in range(20):
        console.clock.elapsed_s += STEP_S
        console.clock.at += timedelta(seconds=STEP_S)
        queries.forget_exposure()
        console.redraw(opened)

    assert console.desk.exposure(Person("u_tester", "An", Role.ADMIN), console.clock.at.date()).seconds > 60
    assert "That is a lot for one day" in shown(opened)


def test_a_link_that_ran_out_is_renewed_on_record(
    console: Console, opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = iter(["http://first", "http://second"])
    monkeypatch.setattr(console.media, "presign", lambda bucket, key: next(signed))
    play(opened)

    console.clock.elapsed_s += console.settings.media.presign_expiry_s
    console.redraw(opened)

    assert opened.get("video")[0].proto.url == "http://second"
    assert [look for _, _, look in console.desk.looks] == [Look.OPENED, Look.RENEWED]


def test_a_video_opened_again_is_still_and_blurred(opened: AppTest, console: Console) -> None:
    play(opened).button(key="unblur").click().run()

    opened.button(key="audit-back").click().run()
    console.redraw(opened)

    assert not opened.get("video")


def test_stills_are_blurred_as_the_viewer_wishes_or_not_there() -> None:
    names = [each.name for each in fields(Row) if each.name != "has_video"]
    row = Row(**{name: getattr(make_alert("v:1"), name) for name in names}, has_video=True)

    strong, light, grey, none = (
        tile(row, NOON, UTC, selected=False, stills=veil)
        for veil in (Veil(Blur.STRONG), Veil(Blur.LIGHT), Veil(Blur.LIGHT, greyscale=True), None)
    )

    assert "still/v%3A1?" in strong
    assert len({strong, light, grey}) == 3
    assert "still" not in none
