"""The one writer: database transaction → topics, delivery confirmed → Redis; so no alert appears before its row."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.clock import Clock
from core.events import DeadLetter, RecordRef, Verdict
from core.settings import MediaSettings
from core.storage.ports import LiveView, MediaStore, VerdictHistory
from dataflows.parse import Record
from dataflows.track import InFlight
from dataflows.wait import Patience, StoppingError

INLINE_PAYLOAD_BYTES = 256 * 1024
MAX_BATCH = 2_000
"""What waits is written at once, up to this: each batch costs the broker one object per partition."""
ENVELOPE_HEADER = "clipwarden-envelope"
"""Of a record whose key and headers are too large to repeat: names the object that holds them."""
DRAIN_S = 60.0


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
        """What is large becomes an object, so that rows and messages stay small."""
        if len(letter.payload or b"") > INLINE_PAYLOAD_BYTES:
            uri = self._put(letter.record, letter.payload or b"", "application/octet-stream")
            letter = letter.model_copy(update={"payload": None, "payload_uri": uri})
        if _envelope_bytes(letter) > INLINE_PAYLOAD_BYTES:
            envelope = letter.model_dump_json(include={"record", "key", "headers"}).encode()
            uri = self._put(letter.record, envelope, "application/json")
            letter = letter.model_copy(update={"key": None, "headers": ((ENVELOPE_HEADER, uri.encode()),)})
        return letter

    def _put(self, record: RecordRef, body: bytes, content_type: str) -> str:
        key = f"{record.topic}/{record.partition}/{record.offset}-{hashlib.sha256(body).hexdigest()[:16]}"
        self._patience.until_done(
            "objects", lambda: self._stores.media.put_bytes(self._dead_bucket, key, body, content_type)
        )
        return f"s3://{self._dead_bucket}/{key}"


def _envelope_bytes(letter: DeadLetter) -> int:
    return len(letter.key or b"") + sum(len(name) + len(value) for name, value in letter.headers)


class WriteQueue:
    """A thread that writes, in order, what the flow hands over, so that deciding goes on while the stores are asked.

    Bounded by the flow's window: nothing is read while too much is unwritten.

    Args:
        writer: writes one batch; when it raises, the process must end.
        stop: set when the writer failed, so that the source ends the flow.
    """

    def __init__(self, writer: Writer, stop: threading.Event) -> None:
        self._writer = writer
        self._stop = stop
        self._waiting: list[Outcome] = []
        self._changed = threading.Condition()
        self._is_ending = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def put(self, outcomes: Sequence[Outcome]) -> None:
        """Hand over; raises what the writer raised."""
        self._raise_failure()
        with self._changed:
            self._waiting.extend(outcomes)
            self._changed.notify()

    def drain(self) -> None:
        """Return after everything was written, or the writer gave up because the process stops."""
        with self._changed:
            self._is_ending = True
            self._changed.notify()
        self._thread.join(DRAIN_S)
        self._raise_failure()

    def _run(self) -> None:
        try:
            while batch := self._take():
                self._writer.write(batch)
        except StoppingError:
            # Asked to stop while a store is away: the rest is unwritten, and read again after the restart.
            return
        except BaseException as error:  # noqa: BLE001 - a thread's outermost frame: the flow must end with it
            self._failure = error
            self._stop.set()

    def _take(self) -> list[Outcome]:
        """The next batch; empty at the end."""
        with self._changed:
            while not self._waiting and not self._is_ending:
                self._changed.wait()
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            return batch

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
