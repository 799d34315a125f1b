"""The one writer: database transaction → topics, delivery confirmed → Redis; so no alert appears before its row."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.clock import Clock
from core.events import DeadLetter, Verdict
from core.settings import MediaSettings
from core.storage.ports import LiveView, MediaStore, VerdictHistory
from dataflows.parse import Record
from dataflows.track import InFlight
from dataflows.wait import Patience

INLINE_PAYLOAD_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record; it has a verdict, dead letters, or both."""

    record: Record
    verdict: Verdict | None = None
    dead_letters: tuple[DeadLetter, ...] = field(default=())


class Publisher(Protocol):
    """The topics the writer writes."""

    def send(self, verdicts: Sequence[Verdict], dead_letters: Sequence[DeadLetter]) -> None:
        """Return after every record was confirmed; raise DeliveryFailed otherwise."""
        ...


@dataclass(frozen=True)
class Stores:
    """Where outcomes go."""

    history: VerdictHistory
    topics: Publisher
    live: LiveView
    media: MediaStore


class Writer:
    """Writes batches of outcomes in order.

    Guarantee: returns only after all three are done; each step waits while its dependency is away and is idempotent,
    so a batch cut short by a crash is written again without doubles.
    """

    def __init__(
        self, stores: Stores, *, settings: MediaSettings, patience: Patience, in_flight: InFlight, clock: Clock
    ) -> None:
        self._stores = stores
        self._dead_bucket = settings.dead_letters_bucket
        self._patience = patience
        self._in_flight = in_flight
        self._clock = clock

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Write one batch, then let its records go."""
        verdicts = [outcome.verdict for outcome in outcomes if outcome.verdict is not None]
        letters = [self._offload(letter) for outcome in outcomes for letter in outcome.dead_letters]
        stores, until_done = self._stores, self._patience.until_done
        written = until_done("database", lambda: stores.history.write(verdicts, letters))
        until_done("broker", lambda: stores.topics.send(verdicts, letters))
        until_done("redis", lambda: stores.live.publish(verdicts, current=written.current, now=self._clock.now()))
        for outcome in outcomes:
            self._in_flight.ended(outcome.record.partition, outcome.record.offset)

    def _offload(self, letter: DeadLetter) -> DeadLetter:
        """A large payload becomes an object, so that rows and messages stay small."""
        payload = letter.payload
        if payload is None or len(payload) <= INLINE_PAYLOAD_BYTES:
            return letter
        record, digest = letter.record, hashlib.sha256(payload).hexdigest()
        key = f"{record.topic}/{record.partition}/{record.offset}-{digest[:16]}"
        self._patience.until_done(
            "objects",
            lambda: self._stores.media.put_bytes(self._dead_bucket, key, payload, "application/octet-stream"),
        )
        return letter.model_copy(update={"payload": None, "payload_uri": f"s3://{self._dead_bucket}/{key}"})
