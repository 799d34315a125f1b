"""Sessions: they begin by a password or a link, end for good, and are tried only so often."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from psycopg import sql

from core.access import Role
from core.errors_console import NotSignedIn, SignInRefused, SignInThrottled
from core.passwords import Passwords
from core.storage.audit_log import Act
from core.storage.sign_in_waits import FREE_OF_NAME
from tests.fixtures.people import GOOD, OPERATOR, Office

pytestmark = pytest.mark.integration

WRONG = "wrong horse battery"


def test_a_session_says_whose_it_is_until_it_is_ended(office: Office) -> None:
    person = office.person(Role.LEAD, name="an", password=GOOD)

    token = office.sessions.sign_in("AN", GOOD, address="1.2.3.4")
    assert office.sessions.seat(token).person == person
    office.sessions.sign_out(token)

    with pytest.raises(NotSignedIn):
        office.sessions.seat(token)
    acts = [entry.act for entry in office.log.newest(OPERATOR, 2, subject=person.user_id)]
    assert acts == [Act.SIGNED_OUT, Act.SIGNED_IN]


@pytest.mark.parametrize("column", ["expires_at = now()", "last_seen_at = now() - interval '61 min'"])
def test_a_session_runs_out_by_its_age_and_by_standing_idle(office: Office, column: str) -> None:
    office.person(Role.LEAD, name="an", password=GOOD)
    token = office.sessions.sign_in("an", GOOD, address="")
    with office.database.connection() as connection:
        connection.execute(f"UPDATE sessions SET {column}".encode())  # noqa: S608 - ours

    with pytest.raises(NotSignedIn):
        office.sessions.seat(token)


@pytest.mark.parametrize("token", ["", "x", "\x00", "\ud800", "a" * 100_000])
def test_a_made_up_token_is_nobodys(office: Office, token: str) -> None:
    with pytest.raises(NotSignedIn):
        office.sessions.seat(token)


def test_no_token_link_or_password_lies_in_the_database(office: Office) -> None:
    person = office.person(Role.LEAD, name="an", password=GOOD)
    secrets = [office.people.link(OPERATOR, person.user_id), office.sessions.sign_in("an", GOOD, address=""), GOOD]

    with office.database.connection() as connection:
        tables = ("people", "sessions", "entry_links", "audit_log")
        rows = [connection.execute(sql.SQL("TABLE {}").format(sql.Identifier(name))).fetchall() for name in tables]

    assert not [secret for secret in secrets if secret in str(rows)]


def test_of_many_uses_of_a_link_one_begins_a_session(office: Office) -> None:
    link = office.people.link(OPERATOR, office.person().user_id)

    def enter(_: int) -> bool:
        try:
            return bool(office.sessions.enter(link, address="1.2.3.4"))
        except (SignInRefused, SignInThrottled):
            return False

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(enter, range(4))).count(True) == 1


def test_a_link_runs_out(office: Office) -> None:
    link = office.people.link(OPERATOR, office.person().user_id)
    with office.database.connection() as connection:
        connection.execute("UPDATE entry_links SET expires_at = now()")

    with pytest.raises(SignInRefused):
        office.sessions.enter(link, address="")


@pytest.mark.parametrize("name", ["an", "nobody", "x" * 10_000, "a\x00n", "\ud800"])
def test_a_wrong_name_and_a_wrong_password_say_the_same(office: Office, name: str) -> None:
    office.person(Role.LEAD, name="an", password=GOOD)

    with pytest.raises(SignInRefused) as refused:
        office.sessions.sign_in(name, WRONG, address="1.2.3.4")

    assert refused.value.message == "the name or the password is not right"
    failure = office.log.newest(OPERATOR, 1)[0]
    assert failure.act is Act.SIGN_IN_FAILED
    assert "password" not in str(failure.detail).replace("'by': 'password'", "")


def test_a_wrong_name_takes_as_long_as_a_wrong_password() -> None:
    passwords = Passwords()
    kept = passwords.hash(GOOD)

    def cost_s(hashed: str | None) -> float:
        started_s = time.thread_time()
        passwords.is_right(WRONG, hashed)
        return time.thread_time() - started_s

    known, unknown = (statistics.median(cost_s(hashed) for _ in range(5)) for hashed in (kept, None))
    assert unknown > known / 2


@pytest.mark.parametrize("name", ["an", "nobody"])
def test_attempts_at_one_name_wait_longer_and_longer_also_when_made_at_once(office: Office, name: str) -> None:
    office.person(Role.LEAD, name="an", password=GOOD)

    def attempt(number: int) -> type[Exception]:
        try:
            office.sessions.sign_in(name, WRONG, address=f"10.0.0.{number}")
        except (SignInRefused, SignInThrottled) as error:
            return type(error)
        raise AssertionError

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(attempt, range(FREE_OF_NAME + 8)))

    assert outcomes.count(SignInRefused) == FREE_OF_NAME + 1
    with pytest.raises(SignInThrottled) as throttled:
        office.sessions.sign_in(name, GOOD, address="10.0.0.99")
    assert throttled.value.wait_s >= 1


def test_a_success_starts_the_count_anew(office: Office) -> None:
    office.person(Role.LEAD, name="an", password=GOOD)

    for _ in range(3):
        for _ in range(FREE_OF_NAME - 1):
            with pytest.raises(SignInRefused):
                office.sessions.sign_in("an", WRONG, address="")
        assert office.sessions.sign_in("an", GOOD, address="")


def test_a_form_is_taken_once(office: Office) -> None:
    assert (office.sessions.take_form("f"), office.sessions.take_form("f")) == (True, False)
