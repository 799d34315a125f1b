"""The operator and the console's people: the first admin, and one-time links as addresses."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from core.access import Person, Role
from core.passwords import Passwords
from core.settings import Settings
from core.storage.database import Database
from core.storage.people import Account, People

OPERATOR = Person("operator", "operator", Role.ADMIN)
"""Whoever may run commands here reaches the database, and so may do everything; the audit log names them so."""
FIRST_ADMIN = "admin"


@contextmanager
def people_of(settings: Settings) -> Iterator[People]:
    """The people of a platform's database.

    Raises:
        StoreUnavailable: at the first call, when it does not answer.
    """
    with closing(Database(settings.store, "people")) as database:
        yield People(database, Passwords(), link_s=settings.sign_in.link_s)


def admins(people: People) -> list[Account]:
    """Who may sign in and is an admin."""
    return [one for one in people.list(OPERATOR) if one.person.role is Role.ADMIN and one.disabled_at is None]


def first_entry(settings: Settings) -> str | None:
    """Where the first admin enters; made when there is none. None: an admin was here already."""
    with people_of(settings) as people:
        known = admins(people)
        if any(one.has_password or one.last_seen_at for one in known):
            return None
        admin = known[0].person if known else people.add(OPERATOR, FIRST_ADMIN, Role.ADMIN)
        return entry(settings, people, admin)


def admins_entry(settings: Settings) -> str:
    """Where an admin enters, whether they were here before or not."""
    with people_of(settings) as people:
        known = admins(people)
        admin = known[0].person if known else people.add(OPERATOR, FIRST_ADMIN, Role.ADMIN)
        return entry(settings, people, admin)


def entry(settings: Settings, people: People, person: Person) -> str:
    """The address of a new one-time link for this person."""
    return f"{settings.sign_in.address}/enter?link={people.link(OPERATOR, person.user_id)}"
