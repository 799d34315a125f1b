"""Whom a provider vouches for, as a person here: found by its own id of them, never by a name or an e-mail."""

import secrets
from collections.abc import Mapping
from dataclasses import replace

import psycopg

from core.access import Person, Role
from core.errors_console import PersonRefused, VouchRefused
from core.storage.audit_log import NOBODY, Act, note, note_stranger
from core.storage.database import Database
from core.storage.people import (
    VOUCHED,
    change_role,
    end_sessions,
    lock_people,
    make_link,
    sign_in_name,
    token_hash,
)
from core.storage.sessions import take_once
from dashboard.vouching import Identity, Why, shown

ENTRY_S = 30
"""How long the way from a provider's word to the session may take: one redirect."""
_FIND = "SELECT user_id, name, role, disabled_at FROM people WHERE vouched = %s"
_INSERT = """
INSERT INTO people (user_id, name, sign_in_name, role, vouched)
VALUES (%(user_id)s, %(name)s, %(sign_in_name)s, %(role)s, %(vouched)s)
ON CONFLICT (sign_in_name) DO NOTHING RETURNING user_id
"""


class Vouched:
    """Lets in whom a provider vouches for; safe to share between threads. All raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def admit(self, identity: Identity, *, address: str) -> str:
        """A one-time token for `/enter`, good for ENTRY_S; each identity gets one.

        Who comes for the first time is added, under another name where theirs is somebody's; who has another role now
        gets it, and their sessions end. Each is in the audit log.

        Raises:
            VouchRefused: the identity was used, the person is disabled, has no role, or is the last admin and would
                not stay one. Who has no role any more has no session either.
        """
        try:
            with self._database.transaction() as connection:
                lock_people(connection)
                return _admit(connection, identity)
        except VouchRefused as refusal:
            self.note_refusal(refusal.why, identity.vouched, address=address)
            raise

    def note_refusal(self, why: str, vouched: str = "", *, address: str) -> None:
        """Write down that a provider's word did not let somebody in."""
        with self._database.transaction() as connection:
            row = connection.execute(_FIND, (vouched,)).fetchone()
            if row and why == Why.NO_ROLE:
                end_sessions(connection, row[0])
            subject = row[0] if row else NOBODY
            note_stranger(connection, Act.SIGN_IN_FAILED, subject, by="provider", why=why, address=address)


def _admit(connection: psycopg.Connection, identity: Identity) -> str:
    if identity.role is None:
        raise VouchRefused("the provider gives this person no role here", Why.NO_ROLE)
    row = connection.execute(_FIND, (identity.vouched,)).fetchone()
    if row is None:
        person = _add(connection, identity, identity.role)
    elif row[3] is not None:
        raise VouchRefused("this person was shut out; an admin lets them in again", Why.DISABLED)
    else:
        person = _with_role(connection, Person(row[0], row[1], Role(row[2])), identity.role)
    if not take_once(connection, identity.once):
        raise VouchRefused("the provider's word was used already; sign in anew", Why.USED)
    return make_link(connection, person.user_id, ENTRY_S, kind=VOUCHED)


def _add(connection: psycopg.Connection, identity: Identity, role: Role) -> Person:
    user_id = f"u_{secrets.token_hex(6)}"
    # The second name tells the same person's again, the third nobody else can have.
    suffixes = ("", f" ({token_hash(identity.vouched)[:6]})", f" ({user_id})")
    values = {"user_id": user_id, "role": role, "vouched": identity.vouched}
    name = next(
        name for name in (shown(identity.name, suffix) for suffix in suffixes) if _insert(connection, name, values)
    )
    person = Person(user_id, name, role)
    note(connection, person, Act.CHANGED_PERSON, user_id, change="added", to=role, by="provider")
    return person


def _insert(connection: psycopg.Connection, name: str, values: Mapping[str, str]) -> bool:
    """Add a person of this name, unless it is somebody's."""
    names = {"name": name, "sign_in_name": sign_in_name(name)}
    return connection.execute(_INSERT, {**values, **names}).fetchone() is not None


def _with_role(connection: psycopg.Connection, person: Person, role: Role) -> Person:
    if person.role is role:
        return person
    try:
        change_role(connection, person.user_id, role)
    except PersonRefused as error:
        raise VouchRefused("the last admin stays one; make somebody else one first", Why.LAST_ADMIN) from error
    changed = replace(person, role=role)
    note(connection, changed, Act.CHANGED_PERSON, person.user_id, change="role", to=role, by="provider")
    return changed
