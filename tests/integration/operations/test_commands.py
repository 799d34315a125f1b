"""What is commanded from the console, a real supervisor does and answers."""

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.access import Person, Role
from core.storage.commands import Commands
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from core.storage.live import RedisLive
from core.storage.orders import CommandKind, CommandRow, OfLetters, OfProcess
from operations.embedded.control import down
from operations.state import Plan
from tests.fixtures.platform import Platform, start
from tests.fixtures.stores import eventually, make_dead_letter

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ENGINEER = Person("an", "An", Role.ENGINEER)


@pytest.fixture(scope="module")
def own() -> Iterator[Platform]:
    """A platform with an inference worker, in a folder that everybody may enter."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        root = Path(folder)
        root.chmod(0o711)
        try:
            yield start(root, Plan(worker=True))
        finally:
            down(root, purge=True)


@pytest.fixture(scope="module")
def commands(own: Platform) -> Commands:
    return Commands(Database(own.settings.store, "test"))


def answered(commands: Commands, kind: CommandKind, name: str) -> CommandRow:
    command_id = commands.issue(ENGINEER, kind, OfProcess(process=name))
    return outcome(commands, command_id)


def outcome(commands: Commands, command_id: str) -> CommandRow:
    def row() -> CommandRow:
        return next(row for row in commands.newest(ENGINEER, 10) if row.command_id == command_id)

    eventually(lambda: row().executed_at is not None, within_s=120)
    return row()


def test_a_restart_gives_a_new_process_and_the_answer_says_so(own: Platform, commands: Commands) -> None:
    before = own.pid("worker")

    row = answered(commands, CommandKind.RESTART, "worker")

    assert (row.state, row.answer.startswith("worker restarted, ready after")) == ("done", True)
    assert own.pid("worker") != before


def test_what_is_stopped_stays_stopped_until_it_is_started(own: Platform, commands: Commands) -> None:
    assert answered(commands, CommandKind.STOP, "worker").state == "done"
    time.sleep(1.5)  # longer than the first delay after which a process that died is started again
    assert own.record("worker").state == "stopped"

    assert answered(commands, CommandKind.START, "worker").state == "done"
    assert own.record("worker").state == "ready"


def test_the_database_itself_is_restarted_and_the_answer_waits_for_it(own: Platform, commands: Commands) -> None:
    before = own.pid("postgres")
    command_id = commands.issue(ENGINEER, CommandKind.RESTART, OfProcess(process="postgres"))
    own.wait_ready("postgres", after_pid=before)

    assert outcome(commands, command_id).state == "done"


@pytest.mark.parametrize(
    ("kind", "name", "why"),
    [
        (CommandKind.STOP, "postgres", "holds the commands"),
        (CommandKind.RESTART, "supervisor", "does not restart itself"),
        (CommandKind.RESTART, "nobody", "no process 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(
    own: Platform, commands: Commands, kind: CommandKind, name: str, why: str
) -> None:
    row = answered(commands, kind, name)

    assert row.state == "failed"
    assert why in row.answer


def test_dead_letters_are_replayed_once(own: Platform, commands: Commands) -> None:
    history = TimescaleHistory(own.settings.store)
    history.write([], [make_dead_letter(offset=offset) for offset in range(150)])
    history.write([], [make_dead_letter(offset=900, code="event.malformed")])
    matching = OfLetters(code="media.missing", before=datetime.now(UTC) + timedelta(days=1))

    first = outcome(commands, commands.issue(ENGINEER, CommandKind.REPLAY_DEAD_LETTERS, matching))
    second = outcome(commands, commands.issue(ENGINEER, CommandKind.REPLAY_DEAD_LETTERS, matching))

    assert first.answer == "replayed 150 records of 150 dead letters"
    assert second.answer == "nothing to replay: all of them were replayed already"
    left = [row.dead_letter.code for row in history.dead_letters(1_000) if row.replayed_at is None]
    assert left == ["event.malformed"]
    history.close()


def test_the_supervisor_tells_of_every_process_and_the_worker_of_itself(own: Platform) -> None:
    live = RedisLive(own.settings.redis)
    beats = {beat.kind: beat for beat in eventually(lambda: live.beats().alive if len(live.beats().alive) > 1 else ())}

    told = {process.name: process for process in beats["supervisor"].processes}
    assert set(told) == {"s3", "postgres", "valkey", "broker", "worker"}
    assert told["worker"].memory_bytes > 50_000_000
    assert told["worker"].pid == beats["worker"].pid
    assert beats["worker"].numbers["uptime_s"] > 0
    live.close()
