"""What the Pipeline page knows of the platform: who is at work, the stores, commands; each read degrades alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import redis

from core.access import Capability, Person
from core.clock import Clock
from core.errors import CacheUnavailable
from core.settings import Settings
from core.storage.commands import Commands
from core.storage.database import Database
from core.storage.orders import Arguments, CommandKind, CommandRow
from core.storage.ports import Beats, LiveView, MediaStore
from dashboard.data.dead_letters import CodeCount, DeadLetters
from dashboard.data.logs import Logs
from dashboard.watched import Look, Watched, knock, soon

BEATS_EVERY_S = 1.0
STORES_EVERY_S = 5.0
COUNTS_EVERY_S = 3.0
COMMANDS_EVERY_S = 0.8
COMMANDS_SHOWN = 8

_SIZE = b"SELECT pg_database_size(current_database())"


@dataclass(frozen=True)
class StoreFacts:
    """What a store says of itself when it is pinged; None where it has no such figure."""

    size_bytes: float | None = None


class Platform:
    """Every read and write of the page, each for a person: who lacks the right gets Forbidden."""

    def __init__(self, settings: Settings, live: LiveView, media: MediaStore, database: Database, clock: Clock) -> None:  # noqa: PLR0917 - the composition root calls it
        self._settings = settings
        self._database = database
        self._media = media
        self._commands = Commands(database)
        self.letters = DeadLetters(database)
        self.logs = Logs(settings.dashboard.logs_dir, _secrets(settings))
        self._beats = Watched(live.beats, clock, every_s=BEATS_EVERY_S)
        reads = {"Redis": self._redis, "database": self._postgres, "objects": self._objects, "broker": self._broker}
        self._stores = {name: Watched(read, clock, every_s=STORES_EVERY_S) for name, read in reads.items()}
        self._counts: Watched[list[CodeCount]] | None = None
        self._newest: Watched[list[CommandRow]] | None = None
        self._clock = clock

    def beats(self, person: Person) -> Look[Beats]:
        """Who gives signs of life."""
        person.require(Capability.SEE_PLATFORM)
        return self._beats.look()

    def stores(self, person: Person) -> Mapping[str, Look[StoreFacts]]:
        """Each store, asked by itself; one that hangs is waited for once, and beside the others."""
        person.require(Capability.SEE_PLATFORM)
        first = next(iter(self._stores.values()))
        for watched in self._stores.values():
            watched.look(patience_s=0.0 if watched is not first else 0.2)
        return {name: watched.look(patience_s=0.2) for name, watched in self._stores.items()}

    def counts(self, person: Person) -> Look[list[CodeCount]]:
        """Dead letters by code; counted once for all viewers."""
        person.require(Capability.SEE_PLATFORM)
        if self._counts is None:
            self._counts = Watched(lambda: self.letters.counts(person), self._clock, every_s=COUNTS_EVERY_S)
        return self._counts.look()

    def commands(self, person: Person) -> Look[list[CommandRow]]:
        """The newest commands and their answers."""
        person.require(Capability.SEE_PLATFORM)
        if self._newest is None:
            self._newest = Watched(
                lambda: self._commands.newest(person, COMMANDS_SHOWN), self._clock, every_s=COMMANDS_EVERY_S
            )
        return self._newest.look()

    def issue(self, person: Person, kind: CommandKind, arguments: Arguments) -> str:
        """Have an executor do something; returns the command's id.

        Raises:
            Forbidden: the person may not operate.
            StoreUnavailable: the database does not answer in time; look whether the command stands there all the same.
        """
        person.require(Capability.OPERATE)
        command_id = soon(lambda: self._commands.issue(person, kind, arguments))
        for watched in (self._newest, self._counts):
            if watched is not None:
                watched.forget()
        return command_id

    def _redis(self) -> StoreFacts:
        url = self._settings.redis.url.get_secret_value()
        try:
            with redis.Redis.from_url(url, socket_connect_timeout=1.5, socket_timeout=1.5) as client:
                return StoreFacts(float(client.info("memory")["used_memory"]))
        except redis.RedisError as error:
            raise CacheUnavailable(str(error) or type(error).__name__) from error

    def _postgres(self) -> StoreFacts:
        with self._database.connection() as connection:
            row = connection.execute(_SIZE).fetchone()
        return StoreFacts(float(row[0]) if row else None)

    def _objects(self) -> StoreFacts:
        self._media.ping()
        return StoreFacts()

    def _broker(self) -> StoreFacts:
        knock(self._settings.kafka.brokers)
        return StoreFacts()


def _secrets(settings: Settings) -> list[str]:
    """What this process knows and nobody shall read in a log."""
    dsn, url = settings.store.dsn.get_secret_value(), settings.redis.url.get_secret_value()
    inside = [part.rpartition("@")[0].rpartition(":")[2] for part in (dsn, url)]
    return [*inside, settings.media.secret_key.get_secret_value(), settings.hub.token.get_secret_value()]
