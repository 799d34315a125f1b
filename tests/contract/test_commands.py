"""A command is issued by who may, executed by one executor at a time, and always answered."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest
from pydantic import SecretStr

from core.access import Person, Role
from core.errors_console import Forbidden
from core.settings import StoreSettings
from core.storage.audit_log import Act, AuditLog
from core.storage.commands import Commands
from core.storage.database import Database
from core.storage.orders import PROCESS_KINDS, REPLAY_KINDS, CommandKind, CommandState, OfLetters, OfProcess, Order

pytestmark = pytest.mark.integration

ENGINEER = Person("an", "An", Role.ENGINEER)
ADMIN = Person("bo", "Bo", Role.ADMIN)
WORKER = OfProcess(process="worker")


@pytest.fixture
def store(database: str) -> Iterator[Database]:
    with psycopg.connect(database, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("TRUNCATE operator_commands")
    found = Database(StoreSettings(dsn=SecretStr(database), pool_max=1), "commands")
    yield found
    found.close()


@pytest.fixture
def commands(store: Database) -> Commands:
    return Commands(store)


def claimed(commands: Commands, owner: str = "one") -> Order:
    order = commands.claim(owner, PROCESS_KINDS)
    assert order is not None
    return order


def test_what_is_issued_is_claimed_with_its_arguments_answered_and_read(commands: Commands) -> None:
    command_id = commands.issue(ENGINEER, CommandKind.RESTART, WORKER)

    order = claimed(commands)
    assert (order.command_id, order.kind, order.arguments) == (command_id, CommandKind.RESTART, WORKER)
    assert commands.answer(command_id, "one", ok=True, text="ready after 2.0 s")

    (row,) = commands.newest(ENGINEER, 5)
    assert (row.state, row.answer, row.subject, row.issued_by) == ("done", "ready after 2.0 s", "worker", "An")
    assert commands.claim("one", PROCESS_KINDS) is None


def test_issuing_is_in_the_audit_log(commands: Commands, store: Database) -> None:
    command_id = commands.issue(ENGINEER, CommandKind.STOP, OfProcess(process="flow-7"))

    (entry,) = AuditLog(store).newest(ADMIN, 1, subject="flow-7")
    assert (entry.act, entry.user_id, entry.detail["command_id"]) == (Act.COMMANDED, "an", command_id)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MODERATOR, Role.LEAD])
def test_who_may_not_operate_issues_nothing(commands: Commands, role: Role) -> None:
    with pytest.raises(Forbidden):
        commands.issue(Person("x", "X", role), CommandKind.RESTART, WORKER)

    assert commands.newest(ENGINEER, 5) == []
    with pytest.raises(Forbidden):
        commands.newest(Person("x", "X", role), 5)


def test_arguments_of_another_command_are_refused(commands: Commands) -> None:
    with pytest.raises(ValueError, match="takes OfLetters"):
        commands.issue(ENGINEER, CommandKind.REPLAY_DEAD_LETTERS, WORKER)


def test_two_executors_never_hold_the_same_command(postgres_dsn: str) -> None:
    databases = [Database(StoreSettings(dsn=SecretStr(postgres_dsn), pool_max=1), name) for name in ("one", "two")]
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE operator_commands")
    two = [Commands(database) for database in databases]
    issued = {two[0].issue(ENGINEER, CommandKind.RESTART, OfProcess(process=f"flow-{n}")) for n in range(8)}

    def drain(number: int) -> list[str]:
        taken = iter(lambda: two[number].claim(f"owner-{number}", PROCESS_KINDS), None)
        return [order.command_id for order in taken if order is not None]

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(drain, (0, 1))
    for database in databases:
        database.close()

    assert sorted(first + second) == sorted(issued)


def test_an_executor_is_given_its_own_kinds_only(commands: Commands) -> None:
    commands.issue(ENGINEER, CommandKind.REPLAY_DEAD_LETTERS, OfLetters(before=datetime.now(UTC)))

    assert commands.claim("one", PROCESS_KINDS) is None
    assert commands.claim("one", REPLAY_KINDS) is not None


def test_a_killed_executors_command_is_executed_again_and_only_the_new_ones_answer_counts(store: Database) -> None:
    short = Commands(store, lease_s=0.0)
    command_id = short.issue(ENGINEER, CommandKind.RESTART, WORKER)
    claimed(short, "killed")

    again = claimed(Commands(store), "next")

    assert again.command_id == command_id
    assert not short.answer(command_id, "killed", ok=True, text="too late")
    assert Commands(store).claim("third", PROCESS_KINDS) is None
    assert short.answer(command_id, "next", ok=False, text="it ended again")
    assert [row.state for row in short.newest(ENGINEER, 1)] == ["failed"]


def test_what_kills_every_executor_is_answered_as_lost(store: Database) -> None:
    short = Commands(store, lease_s=0.0)
    short.issue(ENGINEER, CommandKind.RESTART, WORKER)
    for _ in range(3):
        claimed(short)

    assert short.claim("one", PROCESS_KINDS) is None
    (row,) = short.newest(ENGINEER, 1)
    assert row.state == CommandState.LOST
    assert "its executor ended before it answered" in row.answer


def test_a_command_that_nobody_took_in_time_is_answered_as_lost(store: Database) -> None:
    Commands(store).issue(ENGINEER, CommandKind.RESTART, WORKER)

    assert Commands(store, expires_s=-1.0).claim("one", PROCESS_KINDS) is None

    (row,) = Commands(store).newest(ENGINEER, 1)
    assert (row.state, row.answer.split(";")[0]) == ("lost", "no executor took it in time")


def test_a_renewed_claim_stays_and_says_how_far_it_is(store: Database) -> None:
    commands = Commands(store)
    command_id = commands.issue(ENGINEER, CommandKind.RESTART, WORKER)
    claimed(commands)

    assert commands.renew(command_id, "one", "120 of 340")
    assert not commands.renew(command_id, "somebody else")
    assert [row.answer for row in commands.newest(ENGINEER, 1)] == ["120 of 340"]


@pytest.mark.parametrize(
    ("command", "arguments", "says"),
    [("dance", "{}", "knows no command 'dance'"), ("restart", '{"process": "../x"}', "arguments are not those of")],
)
def test_a_command_this_version_does_not_understand_is_answered(
    store: Database, commands: Commands, command: str, arguments: str, says: str
) -> None:
    with store.connection() as connection:
        connection.execute(
            "INSERT INTO operator_commands (command_id, issued_at, issued_by, command, arguments, state) "
            "VALUES ('old', now(), 'an', %s, %s, 'issued')",
            (command, arguments),
        )

    assert commands.claim("one", PROCESS_KINDS) is None

    (row,) = commands.newest(ENGINEER, 1)
    assert row.state == "failed"
    assert says in row.answer
