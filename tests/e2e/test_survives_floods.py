"""Large records that are no events become dead letters, and the memory of the process that reads them stays bounded."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.fixtures.scoring import Pipeline

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

RECORDS = 120
RECORD_BYTES = 5_000_000
MOST_BYTES = 400_000_000
"""All would be 600 MB. The window is 64 MiB; what the broker's client has at hand, and what is on its way
to the stores, comes on top."""


@contextmanager
def nothing_can_be_written(pipeline: Pipeline) -> Iterator[None]:
    """Redis comes last and stands still; so does the supervisor, which would replace it."""
    processes = [psutil.Process(pipeline.platform.pid(name)) for name in ("supervisor", "valkey")]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def test_a_flood_of_large_wrong_records_is_dead_letters_in_bounded_memory(pipeline: Pipeline) -> None:
    # A process that scored nothing yet would grow by that too.
    assert pipeline.wait_for(pipeline.post_texts(["the flow is warm"] * 50, prefix="before-flood")).lost == 0
    flow = psutil.Process(pipeline.platform.pid("flow-0"))
    before_bytes = most_bytes = flow.memory_info().rss
    with nothing_can_be_written(pipeline):
        for number in range(RECORDS):
            pipeline.producer.send_bytes(b"flood-%d" % number, b"{%d" % number + b" " * RECORD_BYTES)
            pipeline.producer.flush()
            most_bytes = max(most_bytes, flow.memory_info().rss)

    deadline_s, keys = time.monotonic() + 200, set[bytes]()
    while len(keys) < RECORDS:
        assert time.monotonic() < deadline_s, f"{len(keys)} dead letters"
        most_bytes = max(most_bytes, flow.memory_info().rss)
        letters = [row.dead_letter for row in pipeline.history.dead_letters(1000, code="event.malformed")]
        keys = {letter.key for letter in letters if letter.key and letter.key.startswith(b"flood-")}
        time.sleep(0.05)

    assert most_bytes - before_bytes < MOST_BYTES
    after = pipeline.post_texts(["the flow goes on"], prefix="after-flood")
    assert pipeline.wait_for(after).lost == 0
