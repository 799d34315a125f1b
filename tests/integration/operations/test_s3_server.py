"""Conditional writes, what the broker's offsets stand on; and listings, which it asks for at every fetch."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from core import topics
from core.settings import KafkaSettings
from ingestion.kafka import EventProducer
from operations.embedded.s3_server import Condition, ConditionalStorage
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("condition", "etag", "holds"),
    [
        (Condition(), None, True),
        (Condition(), '"a"', True),
        (Condition(if_none_match="*"), None, True),
        (Condition(if_none_match="*"), '"a"', False),
        (Condition(if_match='"a"'), '"a"', True),
        (Condition(if_match='"a"'), '"b"', False),
        (Condition(if_match='"a"'), None, False),
        (Condition(if_match="*"), None, False),
    ],
)
def test_a_write_goes_through_only_where_its_condition_holds(
    condition: Condition, etag: str | None, *, holds: bool
) -> None:
    assert condition.holds(etag) is holds


def test_a_remembered_listing_follows_every_write(tmp_path: Path) -> None:
    storage = ConditionalStorage(tmp_path, chunk_size=1 << 16)
    storage.create_bucket("records")

    def listed(prefix: str) -> dict[str, int]:
        return {info.key: info.size for info in storage.list_objects("records", prefix=prefix).contents}

    put(storage, "0/a", b"1")
    put(storage, "1/a", b"1")
    assert listed("0/") == listed("0/") == {"0/a": 1}
    put(storage, "0/b", b"22")
    put(storage, "0/a", b"333")
    assert listed("0/") == {"0/a": 3, "0/b": 2}
    (tmp_path / "records" / "0" / ".tmp.0a1b").write_bytes(b"what a killed server was writing")
    storage.delete_object("records", "0/a")
    assert listed("0/") == {"0/b": 2}
    assert listed("") == {"0/b": 2, "1/a": 1}


def test_an_object_whose_description_a_kill_left_behind_is_read_whole_and_written_under_its_own_etag(
    tmp_path: Path,
) -> None:
    storage = ConditionalStorage(tmp_path, chunk_size=1 << 16)
    storage.create_bucket("records")
    put(storage, "state", b'{"high": 9}')
    (description,) = tmp_path.rglob("state*.json")
    before = description.read_bytes()
    put(storage, "state", b'{"high": 10}')
    written = storage.head_object("records", "state").etag
    description.write_bytes(before)

    assert read(storage, "state") == b'{"high": 10}'
    assert storage.head_object("records", "state").etag == written
    assert [info.size for info in storage.list_objects("records").contents] == [12]


def test_an_object_is_written_also_where_a_kill_left_half_a_description(tmp_path: Path) -> None:
    storage = ConditionalStorage(tmp_path, chunk_size=1 << 16)
    storage.create_bucket("records")
    put(storage, "state", b"1")
    (description,) = tmp_path.rglob("state*.json")
    description.with_name(f"{description.name}.tmp").write_bytes(b'{"etag"')

    put(storage, "state", b"22")

    assert read(storage, "state") == b"22"


def read(storage: ConditionalStorage, key: str) -> bytes:
    async def whole() -> bytes:
        return b"".join([chunk async for chunk in (await storage.get_object("records", key)).body])

    return asyncio.run(whole())


def put(storage: ConditionalStorage, key: str, body: bytes) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield body

    asyncio.run(storage.put_object("records", key, chunks()))


def test_a_restarted_broker_goes_on_after_the_records_it_confirmed(platform: Platform) -> None:
    mark = os.urandom(4).hex()
    produce(platform.settings.kafka, [f"{mark}-before-{number}" for number in range(20)])

    platform.wait_ready("broker", after_pid=platform.kill("broker"))
    produce(platform.settings.kafka, [f"{mark}-after-{number}" for number in range(20)])

    found = [value for value in read_all(platform.settings.kafka) if value.startswith(mark)]
    assert len(found) == len(set(found)) == 40


def produce(settings: KafkaSettings, values: list[str]) -> None:
    producer = EventProducer(settings)
    for value in values:
        producer.send_bytes(value.encode(), value.encode())
    producer.flush()


def read_all(settings: KafkaSettings) -> list[str]:
    consumer = Consumer(
        {
            "bootstrap.servers": settings.brokers,
            "group.id": "test",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,
        }
    )
    partitions = range(topics.VIDEO_POSTED.partitions)
    consumer.assign([TopicPartition(topics.VIDEO_POSTED.name, partition, OFFSET_BEGINNING) for partition in partitions])
    values, ended, deadline_s = [], 0, time.monotonic() + 30
    while ended < len(partitions) and time.monotonic() < deadline_s:
        for message in consumer.consume(500, timeout=0.2):
            ended += message.error() is not None
            if message.error() is None:
                values.append((message.value() or b"").decode("utf-8", "replace"))
    consumer.close()
    return values
