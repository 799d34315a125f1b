"""Dead letters as the console lists them, on both databases: those on the screen stay, what came since is counted."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from core.access import Person, Role
from core.errors_console import Forbidden
from core.settings import StoreSettings
from core.storage.history import TimescaleHistory
from core.storage.orders import OfLetter
from dashboard.data.dead_letters import MOST_NEWER, DeadLetters
from tests.fixtures.stores import NOON, make_dead_letter

pytestmark = pytest.mark.integration

ENGINEER = Person("en", "Em", Role.ENGINEER)


@pytest.fixture
def history(database: str) -> Iterator[TimescaleHistory]:
    found = TimescaleHistory(StoreSettings(dsn=SecretStr(database), pool_max=1))
    found.write([], [make_dead_letter(offset=offset, minute=offset) for offset in range(3)])
    yield found
    found.close()


@pytest.fixture
def letters(history: TimescaleHistory) -> DeadLetters:
    # Over the history's own connection: the compiled TimescaleDB takes one at a time.
    return DeadLetters(history._database)


def keys(letters: DeadLetters) -> list[OfLetter]:
    return [line.key() for line in letters.page(ENGINEER, code=None, skip=0, limit=2)]


def test_lines_come_again_in_their_order_as_they_are_now(history: TimescaleHistory, letters: DeadLetters) -> None:
    shown = keys(letters)
    history.mark_replayed([(shown[1].record, shown[1].stage)], NOON)
    history.write([], [make_dead_letter(offset=9, minute=9)])

    lines, newer = letters.again(ENGINEER, shown, code=None, since=NOON + timedelta(minutes=2))

    assert [(line.offset, line.replayed_at is not None) for line in lines] == [(2, False), (1, True)]
    assert newer == 1


def test_what_is_new_is_counted_by_code_and_to_an_end(history: TimescaleHistory, letters: DeadLetters) -> None:
    shown, since = keys(letters), NOON + timedelta(minutes=2)
    history.write([], [make_dead_letter(offset=50, minute=50, code="event.malformed")])
    assert letters.again(ENGINEER, shown, code="media.missing", since=since)[1] == 0

    history.write([], [make_dead_letter(offset=100 + n, minute=60) for n in range(MOST_NEWER + 5)])
    assert letters.again(ENGINEER, shown, code="media.missing", since=since)[1] == MOST_NEWER


def test_a_line_that_was_deleted_is_missing(history: TimescaleHistory, letters: DeadLetters) -> None:
    shown = keys(letters)
    with history._database.connection() as connection:
        connection.execute('DELETE FROM dead_letters WHERE "offset" = 2')

    assert [line.offset for line in letters.again(ENGINEER, shown, code=None, since=NOON)[0]] == [1]


def test_who_may_not_see_the_platform_is_told_nothing(letters: DeadLetters) -> None:
    with pytest.raises(Forbidden):
        letters.again(Person("le", "L", Role.LEAD), keys(letters), code=None, since=NOON)


def test_a_letter_is_named_as_it_prints() -> None:
    named = OfLetter.parse("video.posted.v1:3:17:decode")

    assert (named.record.partition, named.record.offset, named.stage) == (3, 17, "decode")
    assert named.subject() == "video.posted.v1:3:17:decode"
    for wrong in ("", "a:b:c:d", "video.posted.v1:3:17", "video.posted.v1:3:17:decode:more"):
        with pytest.raises(ValueError, match=r"unpack|invalid literal"):
            OfLetter.parse(wrong)
