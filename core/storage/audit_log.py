"""Who looked at raw media and who changed what: one row each, in the transaction of the change, never altered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from core.access import Capability, Person
from core.storage.database import Database

_INSERT = """
INSERT INTO audit_log (user_id, role, action, subject, detail)
VALUES (%(user_id)s, %(role)s, %(action)s, %(subject)s, %(detail)s)
"""
_MATCHING = """
SELECT at, user_id, audit_log.role, action, subject, detail, coalesce(name, user_id), entry_id
FROM audit_log LEFT JOIN people USING (user_id)
WHERE (%(subject)s::text IS NULL OR subject = %(subject)s)
  AND (%(who)s::text IS NULL OR user_id = %(who)s OR lower(name) = lower(%(who)s))
  AND (%(act)s::text IS NULL OR action = %(act)s)
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
"""
_PLACE = "(SELECT at, entry_id FROM audit_log WHERE entry_id = %(place)s)"
_ALL = f"{_MATCHING} ORDER BY at DESC, entry_id DESC"
_NEWEST = f"{_ALL} LIMIT %(limit)s"
_OLDER = f"{_MATCHING} AND (at, entry_id) < {_PLACE} ORDER BY at DESC, entry_id DESC LIMIT %(limit)s"
_NEWER = f"{_MATCHING} AND (at, entry_id) > {_PLACE} ORDER BY at, entry_id LIMIT %(limit)s"
CHUNK_ROWS = 5_000
SUBJECT = "audit_log"
"""Of the row that says that somebody took rows away."""
NOBODY = "-"
"""Stands for user and role where nobody is signed in, and for the subject where nobody is meant."""


class Act(StrEnum):
    """What a person did."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SIGN_IN_FAILED = "sign_in_failed"
    SAW_MEDIA = "saw_media"
    DECIDED = "decided"
    UNDID = "undid"
    EXPORTED = "exported"
    QUERIED = "queried"
    COMMANDED = "commanded"
    PAUSED = "paused"
    RESUMED = "resumed"
    RETRIED = "retried"
    CHANGED_PERSON = "changed_person"
    CHANGED_SETTING = "changed_setting"


@dataclass(frozen=True)
class AuditEntry:
    """One row.

    Attributes:
        subject: what it was done to: a video_id, a user_id, a process, a setting.
        name: of who did it, as it is today.
    """

    at: datetime
    user_id: str
    role: str
    act: Act
    subject: str
    detail: Mapping[str, Any]
    name: str
    entry_id: int = 0


@dataclass(frozen=True)
class LogQuery:
    """Which rows: all that is set must hold.

    Attributes:
        who: a user_id, or a name as it is today, in any case.
        since: inclusive.
        until: exclusive.
    """

    subject: str | None = None
    who: str | None = None
    act: Act | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class LogPlace:
    """Next to which row a page lies, and on which side of it."""

    entry_id: int
    is_newer: bool = False


@dataclass(frozen=True)
class LogPage:
    """A part of the log, newest first; `newer` and `older` are the places of its neighbours, None at an end."""

    entries: Sequence[AuditEntry] = ()
    newer: LogPlace | None = None
    older: LogPlace | None = None


def note(connection: psycopg.Connection, person: Person, act: Act, subject: str, **detail: object) -> None:
    """Write one row; it stands if, and only if, the transaction around it does."""
    values = {"user_id": person.user_id, "role": person.role, "action": act, "subject": subject}
    connection.execute(_INSERT, {**values, "detail": Jsonb(detail)})


def note_stranger(connection: psycopg.Connection, act: Act, subject: str, **detail: object) -> None:
    """As `note`, for who is not signed in."""
    values = {"user_id": NOBODY, "role": NOBODY, "action": act, "subject": subject}
    connection.execute(_INSERT, {**values, "detail": Jsonb(detail)})


class AuditLog:
    """The log for who may read it. All raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, person: Person, limit: int, *, subject: str | None = None) -> list[AuditEntry]:
        """The newest rows, newest first.

        Raises:
            Forbidden: the person may not see the log.
        """
        return list(self.page(person, LogQuery(subject=subject), limit).entries)

    def page(self, person: Person, query: LogQuery, limit: int, place: LogPlace | None = None) -> LogPage:
        """Matching rows, newest first, on one side of a place; without one, the newest.

        Raises:
            Forbidden: the person may not see the log.
        """
        person.require(Capability.SEE_AUDIT_LOG)
        statement = _NEWEST if place is None else _NEWER if place.is_newer else _OLDER
        values = {**asdict(query), "place": place and place.entry_id, "limit": limit + 1}
        with self._database.connection() as connection:
            found = [_entry(row) for row in connection.execute(statement.encode(), values)]
        return _page(found, place, limit)

    def take(
        self, person: Person, query: LogQuery, file_format: str, add: Callable[[Sequence[AuditEntry]], None]
    ) -> int:
        """Hand over every matching row, newest first, in chunks, for a file of this format.

        Guarantee: when this returns, the log itself says who took what; when it raises, nothing may be taken away.

        Returns:
            How many rows.

        Raises:
            Forbidden: the person may not see the log, or may not export.
        """
        person.require(Capability.SEE_AUDIT_LOG)
        person.require(Capability.EXPORT)
        taken = 0
        with self._database.transaction() as connection:
            with connection.cursor(name="audit_log") as cursor:
                cursor.execute(_ALL.encode(), asdict(query))
                while rows := cursor.fetchmany(CHUNK_ROWS):
                    add([_entry(row) for row in rows])
                    taken += len(rows)
            asked = {name: str(value) for name, value in asdict(query).items() if value is not None}
            note(connection, person, Act.EXPORTED, SUBJECT, query=asked, rows=taken, format=file_format)
        return taken


def _entry(row: Sequence[Any]) -> AuditEntry:
    at, user_id, role, act, *rest = row
    return AuditEntry(at, user_id, role, Act(act), *rest)


def _page(found: list[AuditEntry], place: LogPlace | None, limit: int) -> LogPage:
    has_more, kept = len(found) > limit, found[:limit]
    if not kept:
        return LogPage()
    is_newer = place is not None and place.is_newer
    if is_newer:
        kept.reverse()
    has_newer = has_more if is_newer else place is not None
    return LogPage(
        kept,
        LogPlace(kept[0].entry_id, is_newer=True) if has_newer else None,
        LogPlace(kept[-1].entry_id) if is_newer or has_more else None,
    )
