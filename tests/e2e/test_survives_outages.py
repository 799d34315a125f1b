"""A dependency that is away, or stands still, makes the flow wait and say so; it resumes by itself."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from ingestion.intake import Post
from tests.fixtures.scoring import Pipeline

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]

CHECKS = {
    "postgres": {"database"},
    "valkey": {"redis"},
    # The embedded broker keeps its records in S3: which of the two is asked first is a matter of the moment.
    "s3": {"objects", "broker"},
    "worker": {"worker"},
    "broker": {"broker"},
}
SAY_TIMEOUT_S = 30.0


def readiness(port: int) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            body: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        body = json.load(error)
    return body


def wait_until(port: int, *, checks: set[str], ok: bool) -> None:
    """Wait until one of the checks is bad, or all are well."""
    deadline_s = time.monotonic() + SAY_TIMEOUT_S
    while all(readiness(port)["checks"].get(check, {}).get("ok", True) for check in checks) is not ok:
        assert time.monotonic() < deadline_s, f"/readyz does not say {checks} ok={ok}: {readiness(port)}"
        time.sleep(0.1)


@contextmanager
def away(pipeline: Pipeline, part: str) -> Iterator[None]:
    """The part is killed while the supervisor, which would bring it back, stands still."""
    supervisor = pipeline.platform.pid("supervisor")
    pid = pipeline.platform.pid(part)
    os.kill(supervisor, signal.SIGSTOP)
    try:
        os.kill(pid, signal.SIGKILL)
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)
        pipeline.platform.wait_ready(part, after_pid=pid)


@contextmanager
def frozen(pipeline: Pipeline, part: str) -> Iterator[None]:
    """The part's processes stand still: connections stay open and nobody answers."""
    parent = psutil.Process(pipeline.platform.pid(part))
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        yield
    finally:
        for process in family:
            process.resume()


@pytest.mark.parametrize("part", list(CHECKS))
def test_a_dependency_that_is_down_is_waited_for_and_named_on_readyz(pipeline: Pipeline, part: str) -> None:
    pipeline.wait_for(pipeline.post(2, prefix=f"before-{part}"))
    port = pipeline.platform.record("flow-0").port
    if part == "s3":
        # The broker keeps its records there, so the events must be posted before; their objects are fetched during.
        posted = pipeline.post(40, prefix=f"during-{part}")
    with away(pipeline, part):
        if part not in ("s3", "broker"):
            posted = pipeline.post(4, prefix=f"during-{part}")
        wait_until(port, checks=CHECKS[part], ok=False)
    if part == "broker":
        posted = pipeline.post(4, prefix=f"during-{part}")

    account = pipeline.wait_for(posted, timeout_s=90)
    assert (account.lost, account.duplicates) == (0, 0)
    wait_until(port, checks=CHECKS[part], ok=True)


def test_a_database_that_stands_still_is_named_on_readyz(pipeline: Pipeline) -> None:
    pipeline.wait_for(pipeline.post(2, prefix="before-frozen"))
    port = pipeline.platform.record("flow-0").port

    with frozen(pipeline, "postgres"):
        events = [
            pipeline.intake.post_file(clip, Post("caption", f"frozen-{n}")) for n, clip in enumerate(pipeline.clips)
        ]
        pipeline.producer.flush()
        wait_until(port, checks={"database"}, ok=False)

    account = pipeline.wait_for([event.video_id for event in events], timeout_s=60)
    assert (account.lost, account.duplicates) == (0, 0)
    wait_until(port, checks={"database"}, ok=True)
