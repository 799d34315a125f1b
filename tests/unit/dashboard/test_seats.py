"""Sessions as pages ask for them: seldom, and still there while the database is away."""

from datetime import timedelta

import pytest

from core.access import Person, Role
from core.clock import FixedClock
from core.errors import StoreUnavailable
from core.storage.sessions import Seat
from dashboard.seats import CHECK_EVERY_S, OUTAGE_EVERY_S, OUTAGE_GRACE_S, Seats
from tests.fixtures.stores import NOON

WAITS_S = 3.0
SEAT = Seat(Person("u", "An", Role.VIEWER), NOON + timedelta(hours=12))


class Sessions:
    """A database that goes away, and lets whoever asks wait."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock, self.is_down, self.asked = clock, False, 0

    def seat(self, token: str) -> Seat:
        del token
        self.asked += 1
        if self.is_down:
            self.clock.elapsed_s += WAITS_S
            raise StoreUnavailable("away")
        return SEAT


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(FixedClock(NOON))


@pytest.fixture
def seats(sessions: Sessions) -> Seats:
    return Seats(sessions, sessions.clock)


def test_a_session_is_asked_for_seldom(sessions: Sessions, seats: Seats) -> None:
    assert [seats.seat("t"), seats.seat("t")] == [SEAT, SEAT]
    sessions.clock.elapsed_s += CHECK_EVERY_S
    seats.seat("t")

    assert sessions.asked == 2


def test_while_the_database_is_away_one_look_waits_for_it_and_those_after_it_do_not(
    sessions: Sessions, seats: Seats
) -> None:
    seats.seat("t")
    sessions.is_down = True
    sessions.clock.elapsed_s += CHECK_EVERY_S

    assert [seats.seat("t") for _ in range(5)] == [SEAT] * 5
    assert sessions.asked == 2
    sessions.clock.elapsed_s += OUTAGE_EVERY_S
    seats.seat("t")
    assert sessions.asked == 3


def test_a_session_outlives_its_database_by_a_quarter_of_an_hour(sessions: Sessions, seats: Seats) -> None:
    seats.seat("t")
    sessions.is_down = True
    sessions.clock.elapsed_s += OUTAGE_GRACE_S

    with pytest.raises(StoreUnavailable):
        seats.seat("t")
