"""What an operator can have done: a closed set of commands, each with the arguments it takes. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from core.events import RecordRef


class CommandKind(StrEnum):
    """Something an executor knows how to do; each may be done twice without harm."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    REPLAY_DEAD_LETTER = "replay_dead_letter"
    REPLAY_DEAD_LETTERS = "replay_dead_letters"


class Arguments(BaseModel):
    """What a command is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def subject(self) -> str:
        """In one word, as the audit log names it."""
        raise NotImplementedError


class OfProcess(Arguments):
    """One process, by the name its supervisor gave it."""

    process: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]

    def subject(self) -> str:
        """The process's name."""
        return self.process


class OfLetter(Arguments):
    """One dead letter, by its key."""

    record: RecordRef
    stage: str

    @classmethod
    def parse(cls, subject: str) -> "OfLetter":
        """The key that prints so.

        Raises:
            ValueError: none does.
        """
        topic, partition, offset, stage = subject.split(":")
        return cls(record=RecordRef(topic=topic, partition=int(partition), offset=int(offset)), stage=stage)

    def subject(self) -> str:
        """As `clipwarden dead-letters list` prints it."""
        return f"{self.record.topic}:{self.record.partition}:{self.record.offset}:{self.stage}"


class OfLetters(Arguments):
    """The dead letters not replayed yet, of one code or of all, that were there when the person counted them."""

    code: str | None = None
    before: AwareDatetime

    def subject(self) -> str:
        """The code."""
        return self.code or "all codes"


NEVER_STOPPED: Mapping[str, str] = {
    "postgres": "the database holds the commands: stopped, nothing could start it again from here. Restart it, or on "
    "its machine: clipwarden down",
    "valkey": "without it no process is in sight here. Restart it, or on its machine: clipwarden down",
    "dashboard": "it is this console: stopped, nobody could start it again from here. Restart it, or on its machine: "
    "clipwarden down",
}
"""What holds the console up, by name, each with why it is not stopped from there."""
PROCESS_KINDS = frozenset({CommandKind.START, CommandKind.STOP, CommandKind.RESTART})
REPLAY_KINDS = frozenset(CommandKind) - PROCESS_KINDS
ARGUMENTS: Mapping[CommandKind, type[Arguments]] = {
    **dict.fromkeys(PROCESS_KINDS, OfProcess),
    CommandKind.REPLAY_DEAD_LETTER: OfLetter,
    CommandKind.REPLAY_DEAD_LETTERS: OfLetters,
}


class CommandState(StrEnum):
    """How far a command is."""

    ISSUED = "issued"
    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"
    LOST = "lost"
    """No executor came to its end in time; what it asks for may have been done."""


class Order(BaseModel):
    """A command in an executor's hands."""

    model_config = ConfigDict(frozen=True)

    command_id: str
    kind: CommandKind
    arguments: Arguments


class CommandRow(BaseModel):
    """A command and what became of it.

    Attributes:
        command: as stored: also of versions before, which knew others.
        answer: what the executor said; while it is at it, how far it is.
    """

    model_config = ConfigDict(frozen=True)

    command_id: str
    issued_at: datetime
    issued_by: str
    command: str
    subject: str
    state: str
    answer: str
    executed_at: datetime | None
