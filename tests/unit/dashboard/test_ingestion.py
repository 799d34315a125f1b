from datetime import timedelta

import pytest

from core import access
from core.access import Capability, Person, Role
from core.errors_console import Forbidden
from core.storage.audit_log import Act
from core.storage.items import Failure, Item, ItemState
from core.storage.ledger import Ledger
from dashboard import queries
from dashboard.arrivals_reader import COUNTED_EVERY_S
from tests.fixtures.console import Console, shown
from tests.fixtures.ledger import LEASE, one, posted
from tests.fixtures.stores import NOON

ENGINEER = Person("en", "Em", Role.ENGINEER)
HOSTILE = "https://a.example/<script>window.pwned=1</script>[x](javascript:1)"


def refuse(ledger: Ledger, key: str, *, code: str = "media.undecodable", **fields: str) -> Item:
    item = one(ledger, key, **fields)
    ledger.refused(LEASE.owner, item.item_id, Failure(code, f"why {key}"))
    return item


def test_before_anything_came_in_it_says_what_to_do(console: Console) -> None:
    page = shown(console.open_ingestion())

    assert "Nothing has come in yet" in page
    assert "clipwarden produce clip.mp4" in page


def test_every_source_stands_with_its_items_by_state(console: Console) -> None:
    one(console.ledger, "a")
    refuse(console.ledger, "b")
    one(console.ledger, "c", source="gateway")

    page = shown(console.open_ingestion())

    assert page.index(">crawl<") < page.index(">gateway<")
    assert all(f">{state.value}<" in page for state in ItemState)


def test_a_refusal_stands_with_its_code_what_it_means_and_where_it_came_from(console: Console) -> None:
    refuse(console.ledger, "a", code="ingest.login", link="https://a.example/1")

    page = shown(console.open_ingestion())

    assert "ingest.login" in page
    assert "give a cookies file" in page
    assert "https://a.example/1" in page
    assert "why a" in page


def test_a_hostile_link_is_shown_letter_by_letter(console: Console) -> None:
    refuse(console.ledger, "a", source="<b>crawl</b>", link=HOSTILE)

    page = console.open_ingestion()

    assert "<script>" not in shown(page)
    assert "&lt;script&gt;" in shown(page)
    assert "<b>" not in shown(page)
    assert not [button for button in page.button if "crawl" in button.label]


def test_a_source_is_paused_and_resumed(console: Console) -> None:
    one(console.ledger, "a")
    page = console.open_ingestion()

    page.button(key="pause-crawl").click().run()
    assert console.ledger.paused() == {"crawl"}
    assert page.button(key="pause-crawl").label == "Resume"
    assert "paused" in shown(page)

    page.button(key="pause-crawl").click().run()
    assert not console.ledger.paused()


def test_what_was_refused_is_tried_again_by_source_and_by_code(console: Console) -> None:
    first = refuse(console.ledger, "a")
    second = refuse(console.ledger, "b", source="gateway")
    page = console.open_ingestion()
    assert page.button(key="retry-code-media.undecodable").label == "Retry 2"

    page.button(key="retry-source-crawl").click().run()
    assert state_of(console, first) is ItemState.FOUND
    assert state_of(console, second) is ItemState.REFUSED

    page.button(key="retry-code-media.undecodable").click().run()
    assert state_of(console, second) is ItemState.FOUND
    assert "Nothing was refused" in shown(page)


def test_whoever_clicks_is_who_it_is_written_down_for(console: Console) -> None:
    refuse(console.ledger, "a")
    page = console.open_ingestion()

    page.button(key="pause-crawl").click().run()
    page.button(key="retry-source-crawl").click().run()

    assert console.intake.acts == [("u_tester", Act.PAUSED, "crawl"), ("u_tester", Act.RETRIED, "crawl")]


def test_a_right_that_was_taken_away_meanwhile_is_said_and_nothing_is_done(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    one(console.ledger, "a")
    page = console.open_ingestion()

    monkeypatch.setitem(access.CAPABILITIES, Role.ADMIN, frozenset({Capability.SEE_PLATFORM}))
    page.button(key="pause-crawl").click().run()

    assert "operate" in page.toast[0].value
    assert not console.ledger.paused()


def test_items_are_not_counted_at_every_look(console: Console) -> None:
    one(console.ledger, "a")
    reader = console.resources().arrivals
    before = reader.read(ENGINEER)
    one(console.ledger, "b")

    assert reader.read(ENGINEER).counts == before.counts
    console.clock.elapsed_s += COUNTED_EVERY_S
    assert reader.read(ENGINEER).counts != before.counts
    one(console.ledger, "c")
    reader.forget()
    assert reader.read(ENGINEER).counts[0].items == 3


def test_what_is_cached_asks_for_the_right_first(console: Console) -> None:
    queries.arrivals(ENGINEER)

    with pytest.raises(Forbidden):
        queries.arrivals(Person("le", "L", Role.LEAD))


def test_a_database_that_is_down_is_named_and_what_was_known_stays(console: Console) -> None:
    refuse(console.ledger, "a")
    page = console.open_ingestion()

    console.ledger.is_down = True
    console.clock.at = NOON + timedelta(seconds=30)
    console.redraw(page)
    page.button(key="retry-source-crawl").click().run()

    assert "The database does not answer since 12:00:30" in shown(page)
    assert "media.undecodable" in shown(page)
    assert "nothing was changed" in page.toast[0].value


def test_what_came_in_last_is_a_rate(console: Console) -> None:
    posted(console.ledger, size_bytes=120_000_000)

    page = shown(console.open_ingestion())

    assert '"cw-number">2.0</span>' in page
    assert "MB/s" in page


def state_of(console: Console, item: Item) -> ItemState:
    found = console.ledger.item(item.item_id)
    assert found is not None
    return found.state
