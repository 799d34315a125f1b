"""The counts of the navigation: what waits for a decision, a replay, a look; counted to an end, for who may know."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from core.access import Person, Role
from core.clock import FixedClock
from core.settings import StoreSettings
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from core.storage.reviews import Answer, DecisionForm, Reason, Reviews
from dashboard.data.waiting import MOST, Waiting, Waits
from tests.fixtures.stores import NOON, make_alert, make_dead_letter, make_verdict

MODERATOR = Person("an", "An", Role.MODERATOR)
ENGINEER = Person("en", "Em", Role.ENGINEER)
_REFUSED = """
INSERT INTO items (item_key, source, state, next_try, is_distinct, found_at, updated_at)
VALUES (%(key)s, 'crawl', %(state)s, %(at)s, false, %(at)s, %(at)s)
"""


@pytest.fixture
def history(database: str) -> Iterator[TimescaleHistory]:
    found = TimescaleHistory(StoreSettings(dsn=SecretStr(database), pool_max=1))
    with found._database.connection() as connection:
        connection.execute("TRUNCATE items CASCADE")
    yield found
    found.close()


@pytest.fixture
def waiting(history: TimescaleHistory) -> Waiting:
    # Over the history's own connection: the compiled TimescaleDB takes one at a time.
    database: Database = history._database
    return Waiting(database, FixedClock(NOON + timedelta(hours=1)))


def item(history: TimescaleHistory, key: str, state: str, at: datetime) -> None:
    with history._database.connection() as connection:
        connection.execute(_REFUSED, {"key": key, "state": state, "at": at})


def test_nothing_waits_where_nothing_came(waiting: Waiting) -> None:
    assert waiting.counts(ENGINEER) == {Waits.ALERTS: 0, Waits.DEAD_LETTERS: 0, Waits.REFUSED: 0}


def test_alerts_wait_until_somebody_decides_or_a_day_passed(history: TimescaleHistory, waiting: Waiting) -> None:
    decided, day = make_alert("decided"), 24 * 60
    history.write([decided, make_alert("open", offset=1), make_verdict("safe", offset=2)], [])
    history.write([make_alert("old", offset=3, minute=-day)], [])
    assert waiting.counts(MODERATOR) == {Waits.ALERTS: 2}

    reviews = Reviews(history._database)
    form = DecisionForm("decided", decided.verdict_id, {"violence": Answer.CONFIRM}, Reason.CLEAR, "form")
    decision = reviews.decide(MODERATOR, form)
    assert waiting.counts(MODERATOR) == {Waits.ALERTS: 1}

    reviews.undo(MODERATOR, decision.decision_id)
    assert waiting.counts(MODERATOR) == {Waits.ALERTS: 2}


def test_dead_letters_and_what_was_refused_wait_for_who_sees_the_platform(
    history: TimescaleHistory, waiting: Waiting
) -> None:
    history.write([], [make_dead_letter(offset=offset) for offset in range(3)])
    old = NOON - timedelta(days=2)
    for key, state, at in (("a", "refused", NOON), ("b", "posted", NOON), ("c", "failed", NOON), ("d", "refused", old)):
        item(history, key, state, at)

    assert waiting.counts(ENGINEER) == {Waits.ALERTS: 0, Waits.DEAD_LETTERS: 3, Waits.REFUSED: 2}
    assert waiting.counts(MODERATOR) == {Waits.ALERTS: 0}


def test_counting_ends(history: TimescaleHistory, waiting: Waiting) -> None:
    history.write([make_alert(f"v:{n}", offset=n) for n in range(MOST + 5)], [])

    assert waiting.counts(MODERATOR) == {Waits.ALERTS: MOST}
