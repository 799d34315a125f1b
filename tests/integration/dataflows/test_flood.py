"""Whatever is sent, the source holds about as many bytes as it may, and reads on as they are written."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event

import psutil
import pytest

from core.events import RecordRef
from core.health import Health
from core.settings import FlowSettings
from core.topics import VIDEO_POSTED
from dataflows.kafka import ShareSource, SourceParts
from dataflows.parse import Record
from dataflows.track import InFlight
from dataflows.wait import Patience
from ingestion.kafka import EventProducer
from tests.fixtures.inference import until
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.integration

RECORDS = 64
RECORD_BYTES = 5_000_000
WINDOW_BYTES = 16 << 20
QUIET_TURNS = 100
AT_HAND_BYTES = 80 << 20
"""What the client library may hand out at once: two answers of the broker, each with a record of every partition."""


@dataclass
class Reader:
    """A source without a flow behind it."""

    source: ShareSource
    in_flight: InFlight

    def __post_init__(self) -> None:
        self._part = self.source.build_part("read", self.source.list_parts()[0], None)

    def turn(self) -> list[Record]:
        """One look at the topic; only records of the flood are kept, without their bytes."""
        records = [record for _, record in self._part.next_batch()]
        for record in records:
            if len(record.value or b"") < RECORD_BYTES:
                self.in_flight.ended(record.partition, record.offset)
        return [record for record in records if len(record.value or b"") >= RECORD_BYTES]


@pytest.fixture
def reader(platform: Platform) -> Iterator[Reader]:
    kafka = platform.settings.kafka.model_copy(update={"group": uuid.uuid4().hex})
    stop, health, in_flight = Event(), Health(), InFlight(2048, limit_bytes=WINDOW_BYTES)
    parts = SourceParts(in_flight, health, Patience(health, stop), stop)
    source = ShareSource(VIDEO_POSTED, kafka, FlowSettings(), parts=parts)
    yield Reader(source, in_flight)
    source.finish()


def test_a_flood_of_large_records_is_held_within_the_window_and_read_to_its_end(
    platform: Platform, reader: Reader
) -> None:
    producer = EventProducer(platform.settings.kafka)
    for number in range(RECORDS):
        producer.send_bytes(b"%d" % number, b"x" * RECORD_BYTES)
        producer.flush()
    process = psutil.Process()
    seen: set[RecordRef] = set()
    held: list[Record] = []
    before_bytes = process.memory_info().rss
    most_bytes = most_rss_bytes = 0
    quiet_turns = 0

    def fill() -> bool:
        # Not always to the brim: what is left may lie in partitions that wait until what is held of them is written.
        nonlocal quiet_turns
        came = reader.turn()
        held.extend(came)
        quiet_turns = 0 if came or not held else quiet_turns + 1
        return reader.in_flight.room() == 0 or quiet_turns > QUIET_TURNS or len(seen) + len(held) == RECORDS

    while len(seen) < RECORDS:
        until(fill, within_s=60)
        if reader.in_flight.room() == 0:
            assert reader.turn() == []
        most_bytes = max(most_bytes, reader.in_flight.held_bytes)
        most_rss_bytes = max(most_rss_bytes, process.memory_info().rss - before_bytes)
        for record in held:
            seen.add(record.ref)
            reader.in_flight.ended(record.partition, record.offset)
        held.clear()

    assert most_bytes < WINDOW_BYTES + AT_HAND_BYTES
    assert most_rss_bytes < 2 * (WINDOW_BYTES + AT_HAND_BYTES)
