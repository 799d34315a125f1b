"""Operators' commands in the database: a person issues them, an executor claims, executes and answers them.

On the path: the console writes, the supervisor (or in containers `operations.executor`) reads and answers.
"""

import uuid
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from pydantic import ValidationError

from core.access import Capability, Person
from core.storage.audit_log import Act, note
from core.storage.database import Database
from core.storage.orders import ARGUMENTS, Arguments, CommandKind, CommandRow, CommandState, Order

LEASE_S = 60.0
"""How long a claimed command is left alone; whoever is at it renews this."""
ATTEMPTS = 3
EXPIRES_S = 600.0
"""A command this old is not begun any more: who issued it has long looked elsewhere."""
ANSWER_CHARS = 1_000

_INSERT = b"""
INSERT INTO operator_commands (command_id, issued_at, issued_by, issued_name, command, arguments, state)
VALUES (%(command_id)s, now(), %(issued_by)s, %(issued_name)s, %(command)s, %(arguments)s, 'issued')
"""
_LOSE = b"""
UPDATE operator_commands SET state = 'lost', executed_at = now(), lease_until = NULL,
    answer = CASE WHEN attempts = 0 THEN 'no executor took it in time; is a supervisor running? Issue it again'
        ELSE 'its executor ended before it answered' || coalesce(' (' || answer || ')', '')
            || '; look at what is there, then issue it again' END
WHERE state IN ('issued', 'claimed') AND (lease_until IS NULL OR lease_until < now())
  AND (attempts >= %(attempts)s OR issued_at < now() - make_interval(secs => %(expires_s)s))
"""
# Commands that this version does not know are claimed by whoever comes, to be answered.
_CLAIM = b"""
UPDATE operator_commands SET state = 'claimed', claimed_by = %(owner)s, claimed_at = now(), attempts = attempts + 1,
    lease_until = now() + make_interval(secs => %(lease_s)s)
WHERE command_id = (
    SELECT command_id FROM operator_commands
    WHERE state IN ('issued', 'claimed') AND (lease_until IS NULL OR lease_until < now())
      AND (command = ANY(%(kinds)s) OR NOT command = ANY(%(known)s))
    ORDER BY issued_at, command_id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING command_id, command, arguments
"""
_MINE = b"WHERE command_id = %(command_id)s AND claimed_by = %(owner)s AND state = 'claimed'"
_RENEW = (
    b"UPDATE operator_commands SET lease_until = now() + make_interval(secs => %(lease_s)s), "
    b"answer = coalesce(%(text)s, answer) " + _MINE
)
_ANSWER = (
    b"UPDATE operator_commands SET state = %(state)s, answer = %(text)s, executed_at = now(), lease_until = NULL "
    + _MINE
)
_NEWEST = b"""
SELECT command_id, issued_at, coalesce(issued_name, issued_by) AS issued_by, command, arguments, state,
    coalesce(answer, '') AS answer, executed_at
FROM operator_commands ORDER BY issued_at DESC, command_id DESC LIMIT %(limit)s
"""


class Commands:
    """The table of commands. All raise StoreUnavailable.

    Args:
        database: where it is.
        lease_s: how long a claim holds without `renew`.
        expires_s: after how long an unfinished command is answered as lost.
    """

    def __init__(self, database: Database, *, lease_s: float = LEASE_S, expires_s: float = EXPIRES_S) -> None:
        self._database = database
        self._lease_s = lease_s
        self._expires_s = expires_s

    def issue(self, person: Person, command: CommandKind, arguments: Arguments) -> str:
        """Have something done; returns the command's id.

        Raises:
            Forbidden: the person may not operate.
            ValueError: the arguments are another command's.
        """
        person.require(Capability.OPERATE)
        if type(arguments) is not ARGUMENTS[command]:
            raise ValueError(f"{command} takes {ARGUMENTS[command].__name__}, not {type(arguments).__name__}")
        command_id, body = str(uuid.uuid4()), arguments.model_dump(mode="json")
        with self._database.transaction() as connection:
            who = {"issued_by": person.user_id, "issued_name": person.name}
            what = {"command": command.value, "arguments": Jsonb(body)}
            connection.execute(_INSERT, {"command_id": command_id, **who, **what})
            note(connection, person, Act.COMMANDED, arguments.subject(), command=command.value, command_id=command_id)
        return command_id

    def claim(self, owner: str, kinds: AbstractSet[CommandKind]) -> Order | None:
        """The oldest command of these kinds that nobody is at, leased to `owner`; None when there is none.

        Whoever claimed it before and let the lease run out was killed: it is executed again, ATTEMPTS times at most.
        What is too old is answered as lost, and what this version does not understand as failed, here.
        """
        with self._database.transaction() as connection:
            connection.execute(_LOSE, {"attempts": ATTEMPTS, "expires_s": self._expires_s})
            while (row := self._take(connection, owner, kinds)) is not None:
                order = _understood(*row)
                if isinstance(order, Order):
                    return order
                self._close(connection, (row[0], owner), CommandState.FAILED, order)
        return None

    def renew(self, command_id: str, owner: str, text: str | None = None) -> bool:
        """Hold a claim for another lease, and say how far it is; False when it is no longer this owner's."""
        values = {"command_id": command_id, "owner": owner, "text": text, "lease_s": self._lease_s}
        with self._database.connection() as connection:
            return connection.execute(_RENEW, values).rowcount == 1

    def answer(self, command_id: str, owner: str, *, ok: bool, text: str) -> bool:
        """Say what became of it; False when somebody else executes it by now, whose answer counts."""
        with self._database.connection() as connection:
            state = CommandState.DONE if ok else CommandState.FAILED
            return self._close(connection, (command_id, owner), state, text)

    def newest(self, person: Person, limit: int) -> list[CommandRow]:
        """The newest commands with their answers, newest first.

        Raises:
            Forbidden: the person may not see the platform.
        """
        person.require(Capability.SEE_PLATFORM)
        with self._database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return [_row(row) for row in cursor.execute(_NEWEST, {"limit": limit})]

    def _take(
        self, connection: psycopg.Connection, owner: str, kinds: AbstractSet[CommandKind]
    ) -> tuple[str, str, dict[str, Any]] | None:
        known = [kind.value for kind in CommandKind]
        values = {"owner": owner, "lease_s": self._lease_s, "kinds": sorted(kinds), "known": known}
        return connection.execute(_CLAIM, values).fetchone()

    def _close(self, connection: psycopg.Connection, claim: tuple[str, str], state: CommandState, text: str) -> bool:
        command_id, owner = claim
        values = {"command_id": command_id, "owner": owner, "state": state.value, "text": text[:ANSWER_CHARS]}
        return connection.execute(_ANSWER, values).rowcount == 1


def _understood(command_id: str, command: str, arguments: Mapping[str, Any]) -> Order | str:
    """The order, or why it is none."""
    if command not in set(CommandKind):
        return f"this version knows no command {command!r}; nothing was done"
    kind = CommandKind(command)
    try:
        return Order(command_id=command_id, kind=kind, arguments=ARGUMENTS[kind].model_validate(arguments))
    except ValidationError as error:
        return f"its arguments are not those of {kind} ({error.error_count()} errors); nothing was done"


def _row(found: dict[str, Any]) -> CommandRow:
    arguments = found.pop("arguments")
    order = _understood(found["command_id"], found["command"], arguments)
    subject = order.arguments.subject() if isinstance(order, Order) else ", ".join(map(str, arguments.values()))
    return CommandRow(**found, subject=subject)
