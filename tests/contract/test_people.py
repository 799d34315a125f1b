"""Accounts: added, changed and shut out by who may; the last admin stays."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.access import Person, Role
from core.errors_console import Forbidden, NotSignedIn, PersonRefused, SignInRefused
from core.storage.audit_log import Act
from tests.fixtures.people import GOOD, OPERATOR, Office

pytestmark = pytest.mark.integration

MODERATOR = Person("u_1", "An", Role.MODERATOR)


def test_a_person_is_added_and_found_by_any_spelling_of_the_name(office: Office) -> None:
    added = office.people.add(OPERATOR, " Nguyễn An ", Role.LEAD)

    found = office.people.find(OPERATOR, "NGUYỄN AN")

    assert (found.person, found.has_password, found.disabled_at) == (added, False, None)
    assert office.log.newest(OPERATOR, 1, subject=added.user_id)[0].act is Act.CHANGED_PERSON


def test_two_people_of_one_name_are_refused(office: Office) -> None:
    office.people.add(OPERATOR, "an", Role.LEAD)

    with pytest.raises(PersonRefused):
        office.people.add(OPERATOR, "An", Role.VIEWER)


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "a\nb", "x" * 61])
def test_a_name_that_cannot_be_shown_is_refused(office: Office, name: str) -> None:
    with pytest.raises(PersonRefused):
        office.people.add(OPERATOR, name, Role.VIEWER)


def test_the_last_admin_is_never_removed(office: Office) -> None:
    admin = office.person()

    with pytest.raises(PersonRefused):
        office.people.disable(OPERATOR, admin.user_id)
    with pytest.raises(PersonRefused):
        office.people.set_role(OPERATOR, admin.user_id, Role.LEAD)

    assert office.people.find(OPERATOR, admin.name).person == admin


def test_two_admins_who_disable_each_other_at_once_leave_one(office: Office) -> None:
    pair = [office.person(name="one"), office.person(name="two")]

    def disable(place: int) -> None:
        try:
            office.people.disable(OPERATOR, pair[place].user_id)
        except PersonRefused:
            return

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(disable, (0, 1)))

    assert [one.disabled_at is None for one in office.people.list(OPERATOR)].count(True) == 1


@pytest.mark.parametrize("change", ["role", "disable", "password"])
def test_a_change_of_the_person_ends_their_sessions_and_links(office: Office, change: str) -> None:
    office.person()
    person = office.person(Role.MODERATOR, name="an", password=GOOD)
    token = office.sessions.sign_in("an", GOOD, address="1.2.3.4")
    link = office.people.link(OPERATOR, person.user_id)

    match change:
        case "role":
            office.people.set_role(OPERATOR, person.user_id, Role.LEAD)
        case "disable":
            office.people.disable(OPERATOR, person.user_id)
        case _:
            office.people.set_password(OPERATOR, person.user_id, GOOD + "!")

    with pytest.raises(NotSignedIn):
        office.sessions.seat(token)
    with pytest.raises(SignInRefused):
        office.sessions.enter(link, address="1.2.3.4")


def test_who_may_not_manage_people_changes_nobody_but_their_own_password(office: Office) -> None:
    person = office.person(Role.MODERATOR, name="an")

    for attempt in (
        lambda: office.people.list(MODERATOR),
        lambda: office.people.add(MODERATOR, "bo", Role.ADMIN),
        lambda: office.people.set_role(person, person.user_id, Role.ADMIN),
        lambda: office.people.disable(MODERATOR, person.user_id),
        lambda: office.people.link(MODERATOR, person.user_id),
        lambda: office.people.set_password(MODERATOR, person.user_id, GOOD),
    ):
        with pytest.raises(Forbidden):
            attempt()

    office.people.set_password(person, person.user_id, GOOD)
    assert office.sessions.sign_in("an", GOOD, address="")
