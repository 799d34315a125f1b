"""The one writer: database, topics, Redis, in that order, and a record is let go only after all three."""

import base64
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from core.clock import FixedClock
from core.errors import CacheUnavailable, DeliveryFailed, ObjectsUnavailable
from core.events import DeadLetter, Verdict
from core.health import Health
from core.settings import MediaSettings
from core.storage.memory import MemoryHistory, MemoryLive, MemoryMedia
from dataflows.parse import Record
from dataflows.track import InFlight
from dataflows.wait import Patience
from dataflows.write import ENVELOPE_HEADER, INLINE_PAYLOAD_BYTES, MAX_BATCH, Outcome, Stores, WriteQueue, Writer
from tests.fixtures.stores import NOON, eventually, make_alert, make_dead_letter, make_verdict

SETTINGS = MediaSettings()
LARGE = b"x" * (INLINE_PAYLOAD_BYTES + 1)


class Topics:
    """Records what is sent, and notes what the other stores held at that moment; fails or waits when told to."""

    def __init__(self, rig: "Rig") -> None:
        self._rig = rig
        self.batches: list[tuple[list[Verdict], list[DeadLetter]]] = []
        self.rows_missing = 0
        self.shown_early = 0
        self.waited_for: list[str] = []
        self.errors: list[Exception] = []
        self.is_open = threading.Event()
        self.is_open.set()
        self.attempts = 0

    def send(self, verdicts: Sequence[Verdict], dead_letters: Sequence[DeadLetter]) -> None:
        self.attempts += 1
        self.waited_for.append(self._rig.health.waiting_for())
        shown = {verdict.video_id for verdict in self._rig.live.snapshot().verdicts}
        self.rows_missing += sum(self._rig.history.current(verdict.video_id) is None for verdict in verdicts)
        self.shown_early += sum(verdict.video_id in shown for verdict in verdicts)
        self.is_open.wait(10)
        if self.errors:
            raise self.errors.pop(0)
        self.batches.append((list(verdicts), list(dead_letters)))

    @property
    def sent(self) -> list[str]:
        return [verdict.video_id for verdicts, _ in self.batches for verdict in verdicts]


class Live(MemoryLive):
    """Notes how many records were still in flight; the first `failures` times it is down."""

    failures = 0

    def __init__(self, in_flight: InFlight) -> None:
        super().__init__()
        self._in_flight = in_flight
        self.held: list[int] = []

    def publish(self, verdicts: Sequence[Verdict], *, current: frozenset[str], now: datetime) -> None:
        self.held.append(self._in_flight.count)
        if len(self.held) <= self.failures:
            raise CacheUnavailable("down")
        super().publish(verdicts, current=current, now=now)


class Media(MemoryMedia):
    """An object store that does not answer the first time."""

    puts = 0

    def put_bytes(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        self.puts += 1
        if self.puts == 1:
            raise ObjectsUnavailable("down")
        super().put_bytes(bucket, key, body, content_type)


@dataclass
class Rig:
    """A writer over stores in memory."""

    in_flight: InFlight = field(default_factory=lambda: InFlight(10_000))
    history: MemoryHistory = field(default_factory=MemoryHistory)
    media: Media = field(default_factory=Media)
    health: Health = field(default_factory=Health)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.live = Live(self.in_flight)
        self.topics = Topics(self)
        self.media.ensure_buckets([SETTINGS.dead_letters_bucket])
        self.writer = Writer(
            Stores(self.history, self.topics, self.live, self.media),
            settings=SETTINGS,
            patience=Patience(self.health, self.stop, wait_max_s=0.01),
            in_flight=self.in_flight,
            clock=FixedClock(NOON),
        )

    def read(self, offset: int, verdict: Verdict | None = None, *dead_letters: DeadLetter) -> Outcome:
        """A record that is in flight from now on, and what became of it."""
        self.in_flight.began(0, offset, NOON, size_bytes=1)
        return Outcome(Record("video.posted.v1", 0, offset, b"v", b"{}", (), NOON), verdict, dead_letters)

    def read_many(self, numbers: range) -> list[Outcome]:
        return [self.read(number, make_verdict(f"v:{number}", offset=number)) for number in numbers]


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def queue(rig: Rig) -> Iterator[WriteQueue]:
    queue = WriteQueue(rig.writer, rig.stop)
    yield queue
    rig.topics.is_open.set()
    with suppress(ZeroDivisionError):
        queue.drain()


def test_a_topic_that_fails_holds_redis_back_behind_the_row(rig: Rig) -> None:
    rig.topics.errors = [DeliveryFailed("unconfirmed"), DeliveryFailed("unconfirmed")]

    rig.writer.write([rig.read(7, make_alert("v:1", offset=7))])

    assert (rig.topics.attempts, rig.topics.sent) == (3, ["v:1"])
    assert rig.topics.rows_missing == rig.topics.shown_early == 0
    assert [verdict.video_id for verdict in rig.live.snapshot().verdicts] == ["v:1"]


def test_records_are_let_go_after_all_three(rig: Rig) -> None:
    rig.live.failures = 1
    batch = [rig.read(7, make_alert("v:1", offset=7)), rig.read(8, None, make_dead_letter(offset=8))]

    rig.writer.write(batch)

    assert rig.live.held == [2, 2]
    assert rig.in_flight.count == 0
    assert rig.in_flight.commit_offsets() == {0: 9}


def test_what_is_waited_for_is_told(rig: Rig) -> None:
    rig.topics.errors = [DeliveryFailed("unconfirmed")]

    rig.writer.write([rig.read(0, make_alert())])

    assert rig.topics.waited_for == ["", "broker: broker.delivery: unconfirmed"]
    assert rig.health.is_ready()


def test_a_verdict_that_is_not_current_goes_to_the_topic_but_not_into_the_view(rig: Rig) -> None:
    rig.writer.write([rig.read(1, make_verdict("v:1", offset=1, minute=5))])
    rig.live.clear()

    rig.writer.write([rig.read(2, make_alert("v:1", offset=2))])

    assert rig.topics.sent == ["v:1", "v:1"]
    assert rig.live.snapshot().verdicts == ()


def test_a_large_payload_becomes_an_object_that_its_dead_letter_names(rig: Rig) -> None:
    rig.writer.write([rig.read(3, None, make_dead_letter(offset=3, payload=LARGE))])

    [(_, [letter])] = rig.topics.batches
    stored = rig.history.dead_letter(letter.record, letter.stage)
    assert stored is not None
    assert stored.dead_letter == letter
    assert letter.payload is None
    bucket, key = str(letter.payload_uri).removeprefix("s3://").split("/", 1)
    assert (bucket, rig.media.get_bytes(bucket, key)) == (SETTINGS.dead_letters_bucket, LARGE)


def test_a_payload_at_the_limit_stays_in_its_dead_letter(rig: Rig) -> None:
    letter = make_dead_letter(payload=LARGE[:-1])

    rig.writer.write([rig.read(0, None, letter)])

    assert rig.topics.batches == [([], [letter])]
    assert rig.media.puts == 0


def test_a_large_key_and_large_headers_are_stored_and_leave_their_dead_letter(rig: Rig) -> None:
    hostile = make_dead_letter(payload=b"{").model_copy(update={"key": LARGE, "headers": (("name", LARGE),)})

    rig.writer.write([rig.read(0, None, hostile)])

    [letter] = rig.topics.batches[0][1]
    assert letter.key is None
    [(name, uri)] = letter.headers
    assert name == ENVELOPE_HEADER
    bucket, key = uri.decode().removeprefix("s3://").split("/", 1)
    kept = json.loads(rig.media.get_bytes(bucket, key))
    assert base64.urlsafe_b64decode(kept["key"]) == LARGE
    assert base64.urlsafe_b64decode(kept["headers"][0][1]) == LARGE


def test_the_queue_keeps_the_order_in_batches(rig: Rig, queue: WriteQueue) -> None:
    rig.topics.is_open.clear()
    for start in range(0, 1200, 40):
        queue.put(rig.read_many(range(start, start + 40)))
    rig.topics.is_open.set()

    queue.drain()

    assert rig.topics.sent == [f"v:{number}" for number in range(1200)]
    assert max(len(verdicts) for verdicts, _ in rig.topics.batches) <= MAX_BATCH
    assert rig.in_flight.count == 0


def test_draining_waits_for_the_last_write(rig: Rig, queue: WriteQueue) -> None:
    rig.topics.is_open.clear()
    queue.put(rig.read_many(range(3)))
    draining = threading.Thread(target=queue.drain, daemon=True)
    draining.start()
    eventually(lambda: rig.topics.attempts == 1)

    draining.join(0.05)
    assert draining.is_alive()
    rig.topics.is_open.set()

    draining.join(10)
    assert not draining.is_alive()
    assert rig.in_flight.count == 0


def test_a_defect_in_the_writer_ends_the_flow(rig: Rig, queue: WriteQueue) -> None:
    rig.topics.errors = [ZeroDivisionError("ours")]

    queue.put(rig.read_many(range(3)))

    assert rig.stop.wait(10)
    with pytest.raises(ZeroDivisionError):
        queue.put(rig.read_many(range(3, 6)))
    with pytest.raises(ZeroDivisionError):
        queue.drain()
    assert rig.in_flight.commit_offsets() == {0: 0}


def test_a_stop_while_a_store_is_away_leaves_the_rest_unwritten(rig: Rig, queue: WriteQueue) -> None:
    rig.stop.set()
    rig.topics.errors = [DeliveryFailed("unconfirmed")]
    rig.topics.is_open.clear()
    queue.put(rig.read_many(range(MAX_BATCH)))
    eventually(lambda: rig.topics.attempts == 1)
    queue.put(rig.read_many(range(MAX_BATCH, MAX_BATCH + 3)))
    rig.topics.is_open.set()

    queue.drain()

    assert (rig.topics.attempts, rig.topics.sent) == (1, [])
    assert rig.live.snapshot().verdicts == ()
    assert rig.in_flight.commit_offsets() == {0: 0}
