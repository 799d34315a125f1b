"""Sign-in and what follows it: sessions, kept as hashes of their tokens; each beginning, end and failure is noted."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from core.access import Person, Role
from core.errors_console import NotSignedIn, SignInRefused
from core.passwords import Passwords
from core.settings_sign_in import SignInSettings
from core.storage.audit_log import NOBODY, Act, note, note_stranger
from core.storage.database import Database
from core.storage.people import MAX_NAME_CHARS, TOKEN_BYTES, VOUCHED, sign_in_name, token_hash
from core.storage.sign_in_waits import count_attempt, forgive

_FIND = "SELECT user_id, password_hash FROM people WHERE sign_in_name = %s AND disabled_at IS NULL"
_KEPT = "SELECT password_hash FROM people WHERE user_id = %s"
# Still with the hash that was checked: a password changed meanwhile opens nothing any more.
_STILL = """
SELECT user_id, name, role FROM people
WHERE user_id = %(user_id)s AND disabled_at IS NULL AND password_hash = %(password_hash)s FOR UPDATE
"""
_USE_LINK = """
UPDATE entry_links SET used_at = now() FROM people
WHERE link_hash = %s AND used_at IS NULL AND expires_at > now()
  AND people.user_id = entry_links.user_id AND disabled_at IS NULL
RETURNING people.user_id, name, role
"""
_BEGIN = """
INSERT INTO sessions (token_hash, user_id, expires_at)
VALUES (%(token_hash)s, %(user_id)s, now() + make_interval(secs => %(session_s)s))
"""
_SEAT = """
UPDATE sessions SET last_seen_at = now() FROM people
WHERE token_hash = %(token_hash)s AND ended_at IS NULL AND expires_at > now()
  AND last_seen_at > now() - make_interval(secs => %(idle_s)s)
  AND people.user_id = sessions.user_id AND disabled_at IS NULL
RETURNING people.user_id, name, role, expires_at, language, vouched IS NOT NULL
"""
_END = """
UPDATE sessions SET ended_at = now() FROM people
WHERE token_hash = %s AND ended_at IS NULL AND people.user_id = sessions.user_id
RETURNING people.user_id, name, role
"""
_END_ALL = "UPDATE sessions SET ended_at = now() WHERE user_id = %s AND ended_at IS NULL"
_TAKE_FORM = "INSERT INTO used_forms (form_hash) VALUES (%s) ON CONFLICT DO NOTHING RETURNING 1"
_PRUNE = (
    "DELETE FROM sessions WHERE expires_at < now() - interval '30 days'",
    "DELETE FROM entry_links WHERE expires_at < now() - interval '1 day'",
    "DELETE FROM used_forms WHERE used_at < now() - interval '1 day'",
    "DELETE FROM sign_in_waits WHERE failed_at < now() - interval '1 day'",
)


@dataclass(frozen=True)
class Seat:
    """Somebody's session, as it stands now.

    Attributes:
        language: which they chose to read, if they did.
        is_vouched: a provider signs them in, and has their password.
    """

    person: Person
    expires_at: datetime
    language: str | None = None
    is_vouched: bool = False


class Sessions:
    """All sessions; safe to share between threads. All raise StoreUnavailable."""

    def __init__(self, database: Database, passwords: Passwords, settings: SignInSettings) -> None:
        self._database = database
        self._passwords = passwords
        self._settings = settings

    def sign_in(self, name: str, password: str, *, address: str) -> str:
        """A new session's token. Names that exist and names that do not cost and say the same.

        Raises:
            SignInRefused: the name or the password is not right, or the person is disabled.
            SignInThrottled: too many attempts.
        """
        name = sign_in_name(name)
        with self._database.transaction() as connection:
            count_attempt(connection, name, address)
        known = self._find(name)
        user_id, kept = known or (None, None)
        if not self._passwords.is_right(password, kept):
            raise self._failed(user_id, address)
        with self._database.transaction() as connection:
            row = connection.execute(_STILL, {"user_id": user_id, "password_hash": kept}).fetchone()
            if row is not None:
                forgive(connection, name, address)
                return self._begin(connection, _person(row), by="password", address=address)
        raise self._failed(user_id, address)

    def enter(self, link: str, *, address: str) -> str:
        """A new session's token for a one-time link; of two uses at once, one gets it.

        Raises:
            SignInRefused: the link was used, ran out, or never was.
            SignInThrottled: too many attempts from this address.
        """
        with self._database.transaction() as connection:
            row = connection.execute(_USE_LINK, (token_hash(link),)).fetchone()
            if row is not None:
                by = "provider" if link.startswith(VOUCHED) else "link"
                return self._begin(connection, _person(row), by=by, address=address)
        with self._database.transaction() as connection:
            count_attempt(connection, f"link from {address}", address)
            note_stranger(connection, Act.SIGN_IN_FAILED, NOBODY, by="link", address=address)
        raise SignInRefused("this link was used already, or it ran out; ask for a new one")

    def seat(self, token: str) -> Seat:
        """Whose session this is; it counts as seen.

        Raises:
            NotSignedIn: there is none of this token, or it ran out or was ended.
        """
        row = self._see(token) if token else None
        if row is None:
            raise NotSignedIn("there is no session, or it ran out; sign in")
        return Seat(_person(row[:3]), row[3].astimezone(UTC), row[4], row[5])

    def sign_out(self, token: str) -> None:
        """End one session; nothing happens when there is none."""
        with self._database.transaction() as connection:
            row = connection.execute(_END, (token_hash(token),)).fetchone()
            if row is not None:
                note(connection, _person(row), Act.SIGNED_OUT, str(row[0]))

    def sign_out_everywhere(self, person: Person) -> None:
        """End every session of this person."""
        with self._database.transaction() as connection:
            connection.execute(_END_ALL, (person.user_id,))
            note(connection, person, Act.SIGNED_OUT, person.user_id, everywhere=True)

    def confirm(self, person: Person, password: str) -> None:
        """Go on only if this is the person's password, or they have none yet.

        Raises:
            SignInRefused: it is not.
            SignInThrottled: too many attempts.
        """
        with self._database.connection() as connection:
            row = connection.execute(_KEPT, (person.user_id,)).fetchone()
        kept = row[0] if row else None
        if kept is None:
            return
        with self._database.transaction() as connection:
            count_attempt(connection, person.user_id, person.user_id)
        if not self._passwords.is_right(password, kept):
            raise SignInRefused("that is not your password")
        with self._database.transaction() as connection:
            forgive(connection, person.user_id, person.user_id)

    def take_form(self, form: str) -> bool:
        """Whether a form is sent for the first time."""
        with self._database.connection() as connection:
            return take_once(connection, form)

    def ping(self) -> None:
        """Raise StoreUnavailable when nobody's session can be read."""
        with self._database.connection() as connection:
            connection.execute("SELECT 1 FROM sessions LIMIT 1")

    def _see(self, token: str) -> tuple[Any, ...] | None:
        values = {"token_hash": token_hash(token), "idle_s": self._settings.idle_s}
        with self._database.connection() as connection:
            return connection.execute(_SEAT, values).fetchone()

    def _find(self, name: str) -> tuple[str, str | None] | None:
        # What no name can be is not looked for: a database takes no NUL, and no index a book.
        if len(name) > 4 * MAX_NAME_CHARS or not name.isprintable():
            return None
        with self._database.connection() as connection:
            row = connection.execute(_FIND, (name,)).fetchone()
        return (str(row[0]), row[1]) if row else None

    def _begin(self, connection: psycopg.Connection, person: Person, *, by: str, address: str) -> str:
        _prune(connection)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        values = {"token_hash": token_hash(token), "user_id": person.user_id, "session_s": self._settings.session_s}
        connection.execute(_BEGIN, values)
        note(connection, person, Act.SIGNED_IN, person.user_id, by=by, address=address)
        return token

    def _failed(self, user_id: str | None, address: str) -> SignInRefused:
        # Not the name as it was typed: people type their password there.
        with self._database.transaction() as connection:
            note_stranger(connection, Act.SIGN_IN_FAILED, user_id or NOBODY, by="password", address=address)
        return SignInRefused("the name or the password is not right")


def take_once(connection: psycopg.Connection, token: str) -> bool:
    """Whether this comes for the first time; what it is made of may be large."""
    return connection.execute(_TAKE_FORM, (token_hash(token),)).fetchone() is not None


def _prune(connection: psycopg.Connection) -> None:
    for statement in _PRUNE:
        connection.execute(statement.encode())


def _person(row: tuple[object, ...]) -> Person:
    user_id, name, role = row
    return Person(str(user_id), str(name), Role(str(role)))
