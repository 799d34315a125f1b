"""The Pipeline page over a real database: what it shows stands still, has an address, and says what cannot be."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr
from streamlit.testing.v1 import AppTest

from core import access
from core.access import Capability, Person, Role
from core.settings import StoreSettings
from core.storage.beats import ProcessBeat
from core.storage.history import TimescaleHistory
from core.storage.ports import Heartbeat
from dashboard.data.dead_letters import CodeCount
from dashboard.data.platform import Platform
from dashboard.watched import Look
from tests.fixtures.console import Console, console, shown
from tests.fixtures.stores import NOON, empty_tables, make_dead_letter
from tests.fixtures.views import open_pipeline

__all__ = ["console"]
pytestmark = pytest.mark.integration


@pytest.fixture
def history(postgres_dsn: str, console: Console) -> Iterator[TimescaleHistory]:
    """Twenty-five dead letters: a page and a quarter."""
    empty_tables(postgres_dsn)
    store = StoreSettings(dsn=SecretStr(postgres_dsn))
    console.settings = console.settings.model_copy(update={"store": store})
    found = TimescaleHistory(store)
    found.write([], [make_dead_letter(offset=offset, minute=offset) for offset in range(25)])
    yield found
    found.close()


def offsets(page: AppTest) -> list[int]:
    keys = [button.key or "" for button in page.button]
    return [int(key.split(":")[2]) for key in keys if key.startswith("open-letter-")]


def test_letters_stand_still_until_the_new_ones_are_asked_for(console: Console, history: TimescaleHistory) -> None:
    page = open_pipeline(console, part="letters")
    before = offsets(page)
    history.write([], [make_dead_letter(offset=100, minute=100)])
    console.clock.elapsed_s += 60
    console.redraw(page)

    assert offsets(page) == before == list(range(24, 4, -1))
    assert page.button(key="letters-new").label == "1 new, show"

    page.button(key="letters-new").click().run()
    assert offsets(page)[0] == 100
    assert not [button for button in page.button if button.key == "letters-new"]


def test_a_click_opens_the_letter_it_was_aimed_at(console: Console, history: TimescaleHistory) -> None:
    page = open_pipeline(console, part="letters", follow="1")
    history.write([], [make_dead_letter(offset=100, minute=100)])

    page.button(key="open-letter-video.posted.v1:0:24:decode").click().run()

    assert offsets(page)[:2] == [100, 24]
    assert page.query_params["letter"] == "video.posted.v1:0:24:decode"


def test_page_and_letter_are_in_the_address_wherever_the_letter_is(console: Console, history: TimescaleHistory) -> None:
    page = open_pipeline(console, part="letters", letter="video.posted.v1:0:3:decode")
    assert "no such object" in shown(page)
    assert page.button(key="open-letter-video.posted.v1:0:3:decode").label == "Close"

    page.button(key="letters-on").click().run()
    assert page.query_params["page"] == "2"
    assert offsets(open_pipeline(console, part="letters", page="2")) == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("letter", ["video.posted.v1:0:999:decode", "<script>alert(1)</script>"])
def test_a_letter_that_is_not_there_says_so(console: Console, history: TimescaleHistory, letter: str) -> None:
    page = open_pipeline(console, part="letters", letter=letter, page="x")

    assert "This dead letter is gone" in shown(page)
    assert "<script>" not in shown(page)
    assert len(offsets(open_pipeline(console, part="letters", page="x"))) == 20


def test_counts_that_are_old_are_shown_as_old_and_slow_ones_as_slow(
    console: Console, history: TimescaleHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    look: Look[list[CodeCount]] = Look([CodeCount("media.missing", 25, 25, NOON)], NOON, 1.2)

    def counts(platform: Platform, person: Person) -> Look[list[CodeCount]]:
        return look

    monkeypatch.setattr(Platform, "counts", counts)
    assert "does not answer" not in shown(open_pipeline(console, part="letters"))

    look = replace(look, down_since=NOON)
    page = open_pipeline(console, part="letters")
    assert "The database does not answer since 12:00:00." in shown(page)
    assert len(offsets(page)) == 20

    look = Look()
    assert "Still being read" in shown(open_pipeline(console, part="letters"))


def test_what_the_console_stands_on_cannot_be_stopped_from_it(console: Console, history: TimescaleHistory) -> None:
    told = tuple(ProcessBeat(name, "ready", NOON, pid=7) for name in ("postgres", "valkey", "dashboard", "worker"))
    console.live.beat(Heartbeat("supervisor", "0", "ready", "1", NOON, processes=told))

    page = open_pipeline(console)

    stops = {name: page.button(key=f"stop-{name}") for name in ("postgres", "valkey", "dashboard", "worker")}
    assert {name: button.disabled for name, button in stops.items()} == {
        "postgres": True, "valkey": True, "dashboard": True, "worker": False
    }  # fmt: skip
    assert "The console stands on it" in stops["postgres"].help
    assert not page.button(key="restart-postgres").disabled


def test_a_command_that_one_may_not_give_any_more_says_why(
    console: Console, history: TimescaleHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_pipeline(console, part="letters", letter="video.posted.v1:0:24:decode")
    page.button(key="replay-one").click().run()

    monkeypatch.setitem(access.CAPABILITIES, Role.ADMIN, frozenset({Capability.SEE_PLATFORM}))
    page.button(key="confirm-yes").click().run()

    assert "operate" in page.toast[0].value


def test_the_page_says_when_it_was_read(console: Console, history: TimescaleHistory) -> None:
    for part in ("processes", "letters"):
        assert "updated just now" in shown(open_pipeline(console, part=part))
