"""The people of the console: who they are, their roles, what proves them; each change is in the audit log."""

import hashlib
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from core.access import Capability, Person, Role
from core.errors_console import PersonRefused
from core.passwords import Passwords
from core.storage.audit_log import Act, note
from core.storage.database import Database

MAX_NAME_CHARS = 60
TOKEN_BYTES = 32
VOUCHED = "v."
"""How a one-time token begins that a provider's word led to."""
_LOCK = 0x70656F706C65

_INSERT = """
INSERT INTO people (user_id, name, sign_in_name, role, password_hash)
VALUES (%(user_id)s, %(name)s, %(sign_in_name)s, %(role)s, %(password_hash)s)
ON CONFLICT (sign_in_name) DO NOTHING RETURNING user_id
"""
_LIST = """
SELECT user_id, name, role, created_at, disabled_at, password_hash IS NOT NULL, vouched IS NOT NULL,
       (SELECT max(last_seen_at) FROM sessions WHERE sessions.user_id = people.user_id)
FROM people WHERE %(sign_in_name)s::text IS NULL OR sign_in_name = %(sign_in_name)s
ORDER BY disabled_at IS NOT NULL, sign_in_name
"""
_ROLE = "UPDATE people SET role = %(value)s WHERE user_id = %(user_id)s AND role <> %(value)s RETURNING user_id"
_DISABLE = "UPDATE people SET disabled_at = now() WHERE user_id = %(user_id)s AND disabled_at IS NULL RETURNING user_id"
_ENABLE = (
    "UPDATE people SET disabled_at = NULL WHERE user_id = %(user_id)s AND disabled_at IS NOT NULL RETURNING user_id"
)
# Whom a provider vouches for has no password: it would still open when the provider has shut them out.
_PASSWORD = """
UPDATE people SET password_hash = %(value)s WHERE user_id = %(user_id)s AND vouched IS NULL RETURNING user_id
"""  # noqa: S105
_LANGUAGE = "UPDATE people SET language = %(value)s WHERE user_id = %(user_id)s"
_EXISTS = "SELECT 1 FROM people WHERE user_id = %(user_id)s"
_ADMIN = "SELECT 1 FROM people WHERE role = 'admin' AND disabled_at IS NULL LIMIT 1"
_END_SESSIONS = "UPDATE sessions SET ended_at = now() WHERE user_id = %(user_id)s AND ended_at IS NULL"
_END_LINKS = "UPDATE entry_links SET used_at = now() WHERE user_id = %(user_id)s AND used_at IS NULL"
_LINK = """
INSERT INTO entry_links (link_hash, user_id, expires_at)
SELECT %(link_hash)s, user_id, now() + make_interval(secs => %(lives_s)s) FROM people
WHERE user_id = %(user_id)s AND disabled_at IS NULL RETURNING user_id
"""


@dataclass(frozen=True)
class Account:
    """One person as those who manage people see them.

    Attributes:
        is_vouched: a provider of OpenID Connect says who this is, and decides on the role.
        last_seen_at: when a page of theirs last asked for something.
    """

    person: Person
    created_at: datetime
    disabled_at: datetime | None
    has_password: bool
    is_vouched: bool
    last_seen_at: datetime | None


class People:
    """All people, for who may manage them. All raise StoreUnavailable; safe to share between threads.

    Args:
        passwords: what hashes new ones.
        link_s: how long a one-time link waits.
    """

    def __init__(self, database: Database, passwords: Passwords, *, link_s: int = 900) -> None:
        self._database = database
        self._passwords = passwords
        self._link_s = link_s

    def list(self, actor: Person, name: str | None = None) -> list[Account]:
        """Everybody, or who signs in by this name; those who were disabled last.

        Raises:
            Forbidden: the actor may not manage people.
        """
        actor.require(Capability.MANAGE_PEOPLE)
        with self._database.connection() as connection:
            rows = connection.execute(_LIST, {"sign_in_name": sign_in_name(name) if name else None}).fetchall()
        return [_account(row) for row in rows]

    def find(self, actor: Person, name: str) -> Account:
        """Who signs in by this name.

        Raises:
            PersonRefused: nobody does.
            Forbidden: as `list`.
        """
        found = self.list(actor, name)
        if not found:
            raise PersonRefused(
                "nobody here is called {name!r}; see who is: clipwarden users list", name=name[:MAX_NAME_CHARS]
            )
        return found[0]

    def add(self, actor: Person, name: str, role: Role, *, password: str | None = None) -> Person:
        """A new person; without a password they enter by a one-time link, and may choose one then.

        Raises:
            PersonRefused: the name is taken or cannot be shown, the password is too short.
            Forbidden: as `list`.
        """
        actor.require(Capability.MANAGE_PEOPLE)
        person = Person(f"u_{secrets.token_hex(6)}", shown_name(name), role)
        kept = self._passwords.hash(password) if password is not None else None
        names = {"name": person.name, "sign_in_name": sign_in_name(name)}
        values = {"user_id": person.user_id, "role": role, "password_hash": kept, **names}
        with self._database.transaction() as connection:
            if connection.execute(_INSERT, values).fetchone() is None:
                raise PersonRefused("{name!r} is somebody's name already; choose another one", name=person.name)
            note(connection, actor, Act.CHANGED_PERSON, person.user_id, change="added", to=role)
        return person

    def set_role(self, actor: Person, user_id: str, role: Role) -> None:
        """Give a person another role; their sessions end.

        Raises:
            PersonRefused: no such person, or the last admin.
            Forbidden: as `list`.
        """
        self._change(actor, user_id, _ROLE, change="role", to=role)

    def disable(self, actor: Person, user_id: str) -> None:
        """Shut a person out; their sessions and links end. Raises as `set_role`."""
        self._change(actor, user_id, _DISABLE, change="disabled")

    def enable(self, actor: Person, user_id: str) -> None:
        """Let a person in again. Raises as `set_role`."""
        self._change(actor, user_id, _ENABLE, change="enabled")

    def set_password(self, actor: Person, user_id: str, password: str) -> None:
        """Give a person another password; their sessions and links end.

        Everybody may change their own; another's takes the right to manage people.

        Raises:
            PersonRefused: no such person, one a provider vouches for, or a password too short.
            Forbidden: as `list`.
        """
        if user_id != actor.user_id:
            actor.require(Capability.MANAGE_PEOPLE)
        kept = self._passwords.hash(password)
        with self._database.transaction() as connection:
            if not _update(connection, user_id, _PASSWORD, kept):
                raise PersonRefused("a provider vouches for this person; it has the password")
            note(connection, actor, Act.CHANGED_PERSON, user_id, change="password")

    def set_language(self, actor: Person, language: str) -> None:
        """Remember which language the actor reads."""
        with self._database.transaction() as connection:
            connection.execute(_LANGUAGE, {"user_id": actor.user_id, "value": language})
            note(connection, actor, Act.CHANGED_SETTING, actor.user_id, language=language)

    def link(self, actor: Person, user_id: str) -> str:
        """A one-time token with which this person enters; shown this one time.

        Raises:
            PersonRefused: no such person, or they are disabled.
            Forbidden: as `list`.
        """
        actor.require(Capability.MANAGE_PEOPLE)
        with self._database.transaction() as connection:
            token = make_link(connection, user_id, self._link_s)
            note(connection, actor, Act.CHANGED_PERSON, user_id, change="link")
        return token

    def _change(self, actor: Person, user_id: str, statement: str, *, change: str, to: Role | None = None) -> None:
        actor.require(Capability.MANAGE_PEOPLE)
        with self._database.transaction() as connection:
            lock_people(connection)
            if _update_but_last_admin(connection, user_id, statement, to):
                note(connection, actor, Act.CHANGED_PERSON, user_id, change=change, **({"to": to} if to else {}))


def lock_people(connection: psycopg.Connection) -> None:
    """Changes of people wait for each other, so that two admins never remove each other."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def change_role(connection: psycopg.Connection, user_id: str, role: Role) -> None:
    """Another role, under the lock; their sessions and links end.

    Raises:
        PersonRefused: no such person, or the last admin.
    """
    _update_but_last_admin(connection, user_id, _ROLE, role)


def end_sessions(connection: psycopg.Connection, user_id: str) -> None:
    """End whatever a person has open."""
    connection.execute(_END_SESSIONS, {"user_id": user_id})
    connection.execute(_END_LINKS, {"user_id": user_id})


def make_link(connection: psycopg.Connection, user_id: str, lives_s: int, *, kind: str = "") -> str:
    """A one-time token, which begins with its kind.

    Raises:
        PersonRefused: no such person, or they are disabled.
    """
    token = kind + secrets.token_urlsafe(TOKEN_BYTES)
    values = {"link_hash": token_hash(token), "user_id": user_id, "lives_s": lives_s}
    if connection.execute(_LINK, values).fetchone() is None:
        raise PersonRefused("no such person, or one who was disabled; see: clipwarden users list")
    return token


def _update_but_last_admin(connection: psycopg.Connection, user_id: str, statement: str, role: Role | None) -> bool:
    had_admin = _has_admin(connection)
    if not _update(connection, user_id, statement, role):
        return False
    if had_admin and not _has_admin(connection):
        raise PersonRefused("that is the last admin; make somebody else one first")
    return True


def _has_admin(connection: psycopg.Connection) -> bool:
    return connection.execute(_ADMIN).fetchone() is not None


def _update(connection: psycopg.Connection, user_id: str, statement: str, value: str | None) -> bool:
    """Change one person and end what they had open; whether there was anything to change."""
    values = {"user_id": user_id, "value": value}
    if connection.execute(statement.encode(), values).fetchone() is None:
        if connection.execute(_EXISTS, values).fetchone() is None:
            raise PersonRefused("no such person; see who is here: clipwarden users list")
        return False
    end_sessions(connection, user_id)
    return True


def token_hash(token: str) -> str:
    """What is kept of a token; it holds 256 random bits, so this cannot be turned back by guessing."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def shown_name(name: str) -> str:
    """The name as it is shown.

    Raises:
        PersonRefused: nothing in it can be seen, or too much.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if not 0 < len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise PersonRefused("a name has 1 to {most} printable characters", most=MAX_NAME_CHARS)
    return name


def sign_in_name(name: str) -> str:
    """The name as names are compared: one form, one case, no blanks around it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def _account(row: Sequence[object]) -> Account:
    user_id, name, role, created_at, disabled_at, has_password, is_vouched, seen_at = row
    person = Person(str(user_id), str(name), Role(str(role)))
    known = _instant(created_at)
    assert known is not None  # noqa: S101 - NOT NULL
    return Account(person, known, _instant(disabled_at), bool(has_password), bool(is_vouched), _instant(seen_at))


def _instant(value: object) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else None
