"""Whom a provider vouches for: one person per provider's id, in the role it says, and never somebody else."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from core.access import Person, Role
from core.errors_console import NotSignedIn, PersonRefused, SignInRefused, VouchRefused
from core.storage.audit_log import Act
from core.storage.people import Account
from dashboard.data.vouched import Vouched
from dashboard.vouching import Identity, Why
from tests.fixtures.people import GOOD, OPERATOR, Office

pytestmark = pytest.mark.integration

_NONCES = count()


def identity(subject: str = "p-1", name: str = "Bình", role: Role | None = Role.MODERATOR) -> Identity:
    return Identity(f"https://id.example {subject}", name, role, f"https://id.example n-{next(_NONCES)}")


def entered(office: Office, found: Identity) -> str:
    """The session's token."""
    link = Vouched(office.database).admit(found, address="192.0.2.1")
    return office.sessions.enter(link, address="192.0.2.1")


def who(office: Office, token: str) -> Person:
    return office.sessions.seat(token).person


def account(office: Office, name: str) -> Account:
    return office.people.find(OPERATOR, name)


def refused(office: Office, found: Identity) -> str:
    with pytest.raises(VouchRefused) as info:
        Vouched(office.database).admit(found, address="192.0.2.1")
    return info.value.why


def test_who_comes_for_the_first_time_is_added_and_each_step_is_in_the_log(office: Office) -> None:
    token = entered(office, identity())

    person = who(office, token)
    assert (person.name, person.role, office.sessions.seat(token).is_vouched) == ("Bình", Role.MODERATOR, True)
    assert account(office, "Bình").is_vouched
    log = office.log.newest(OPERATOR, 5, subject=person.user_id)
    assert [(entry.act, entry.detail["by"], entry.user_id) for entry in log] == [
        (Act.SIGNED_IN, "provider", person.user_id),
        (Act.CHANGED_PERSON, "provider", person.user_id),
    ]


def test_the_same_id_is_the_same_person_whatever_they_are_called_now(office: Office) -> None:
    first, second = entered(office, identity()), entered(office, identity(name="someone else"))

    assert who(office, first) == who(office, second)


def test_a_local_person_of_that_name_stays_somebody_else(office: Office) -> None:
    local = office.person(name="Bình", password=GOOD)

    names = [who(office, entered(office, identity(subject, "BÌNH"))).name for subject in ("p-1", "p-2")]

    assert all(name.startswith("BÌNH (") for name in names)
    assert names[0] != names[1]
    assert account(office, "Bình").person == local
    assert not account(office, "Bình").is_vouched


def test_a_name_taken_with_its_suffix_too_gets_one_that_nobody_has(office: Office) -> None:
    first = who(office, entered(office, identity("p-1", "x" * 60))).name
    taken = who(office, entered(office, identity("p-2", "x" * 60))).name
    with office.database.connection() as connection:
        connection.execute("UPDATE people SET vouched = NULL")

    third = who(office, entered(office, identity("p-2", "x" * 60))).name

    assert len({first, taken, third}) == 3
    assert max(map(len, (first, taken, third))) <= 60


def test_an_identity_opens_one_session_and_its_link_too(office: Office) -> None:
    once = identity()
    link = Vouched(office.database).admit(once, address="")
    office.sessions.enter(link, address="")

    assert refused(office, once) == Why.USED
    with pytest.raises(SignInRefused):
        office.sessions.enter(link, address="")


def test_one_identity_at_two_consoles_at_once_opens_one_session(office: Office) -> None:
    once, vouched = identity(), Vouched(office.database)

    def admit(_: int) -> bool:
        try:
            return bool(vouched.admit(once, address=""))
        except VouchRefused:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(admit, range(4))) == [False, False, False, True]
    assert len(office.people.list(OPERATOR)) == 1


def test_another_role_ends_what_was_open_in_the_old_one(office: Office) -> None:
    before = entered(office, identity())

    after = entered(office, identity(role=Role.LEAD))

    assert who(office, after).role is Role.LEAD
    with pytest.raises(NotSignedIn):
        office.sessions.seat(before)
    changed = office.log.newest(OPERATOR, 2, subject=who(office, after).user_id)[1]
    assert (changed.act, changed.detail) == (Act.CHANGED_PERSON, {"change": "role", "to": "lead", "by": "provider"})


def test_who_has_no_role_is_not_added_and_who_lost_theirs_has_no_session(office: Office) -> None:
    assert refused(office, identity(role=None)) == Why.NO_ROLE
    assert office.people.list(OPERATOR) == []
    before = entered(office, identity())

    assert refused(office, identity(role=None)) == Why.NO_ROLE

    with pytest.raises(NotSignedIn):
        office.sessions.seat(before)
    failed = office.log.newest(OPERATOR, 1)[0]
    assert (failed.act, failed.detail["why"], failed.detail["by"]) == (Act.SIGN_IN_FAILED, "no_role", "provider")


def test_the_last_admin_is_not_made_anything_else(office: Office) -> None:
    before = entered(office, identity(role=Role.ADMIN))

    assert refused(office, identity(role=Role.VIEWER)) == Why.LAST_ADMIN

    assert who(office, before).role is Role.ADMIN
    office.person()
    assert who(office, entered(office, identity(role=Role.VIEWER))).role is Role.VIEWER


def test_who_was_shut_out_stays_out_whatever_the_provider_says(office: Office) -> None:
    person = who(office, entered(office, identity()))
    office.people.disable(OPERATOR, person.user_id)

    assert refused(office, identity(role=Role.ADMIN)) == Why.DISABLED
    assert account(office, person.name).person.role is Role.MODERATOR


def test_whom_a_provider_vouches_for_gets_no_password(office: Office) -> None:
    person = who(office, entered(office, identity()))

    with pytest.raises(PersonRefused):
        office.people.set_password(person, person.user_id, GOOD)

    assert not account(office, person.name).has_password
