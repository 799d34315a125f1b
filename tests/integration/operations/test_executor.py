"""Where no supervisor runs, a small process executes what it can and answers the rest with the command to type."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from core.access import Person, Role
from core.settings import StoreSettings
from core.storage.commands import Commands
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from core.storage.orders import CommandKind, CommandRow, OfLetters, OfProcess
from tests.fixtures.platform import Platform
from tests.fixtures.stores import eventually, make_dead_letter, new_database

pytestmark = pytest.mark.integration

ENGINEER = Person("an", "An", Role.ENGINEER)


@pytest.fixture(scope="module")
def store(platform: Platform) -> StoreSettings:
    """A database that no supervisor looks into."""
    return StoreSettings(dsn=SecretStr(new_database(platform, "executor")))


@pytest.fixture
def commands(store: StoreSettings) -> Commands:
    return Commands(Database(store, "test"))


@pytest.fixture
def executor(platform: Platform, store: StoreSettings) -> Iterator["subprocess.Popen[bytes]"]:
    ours = {"CLIPWARDEN_STORE__DSN": store.dsn.get_secret_value(), "CLIPWARDEN_OPERATIONS__POLL_S": "0.1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "operations.executor"], env={**os.environ, **platform.env, **ours}
    )
    yield process
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0


def answered(commands: Commands, command_id: str) -> CommandRow:
    def row() -> CommandRow:
        return next(row for row in commands.newest(ENGINEER, 10) if row.command_id == command_id)

    eventually(lambda: row().executed_at is not None, within_s=60)
    return row()


@pytest.mark.usefixtures("executor")
def test_a_restart_is_answered_with_the_command_for_the_host(commands: Commands) -> None:
    row = answered(commands, commands.issue(ENGINEER, CommandKind.RESTART, OfProcess(process="flow-0")))

    assert row.state == "failed"
    assert "docker compose restart flow-0" in row.answer


@pytest.mark.usefixtures("executor")
def test_a_replay_is_done_and_what_cannot_be_read_stays(commands: Commands, store: StoreSettings) -> None:
    history = TimescaleHistory(store)
    lost = make_dead_letter(offset=9, payload=None, payload_uri="s3://clipwarden-dead/gone")
    history.write([], [make_dead_letter(offset=1), make_dead_letter(offset=2), lost])

    matching = OfLetters(code=None, before=datetime.now(UTC))
    row = answered(commands, commands.issue(ENGINEER, CommandKind.REPLAY_DEAD_LETTERS, matching))

    assert row.answer.startswith("replayed 2 records of 3 dead letters; 1 could not be read and stay (media.missing")
    assert [row.dead_letter.record.offset for row in history.dead_letters(9) if row.replayed_at is None] == [9]
    history.close()


def test_a_command_issued_while_nobody_executes_waits_for_the_next_executor(
    commands: Commands, request: pytest.FixtureRequest
) -> None:
    command_id = commands.issue(ENGINEER, CommandKind.STOP, OfProcess(process="flow-1"))
    assert commands.newest(ENGINEER, 1)[0].state == "issued"

    request.getfixturevalue("executor")

    assert "docker compose stop flow-1" in answered(commands, command_id).answer
