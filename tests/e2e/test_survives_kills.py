"""kill -9 of every part in turn, under load: nothing lost, nothing twice, nothing safe without its scores."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from psycopg import connect

from core.labels import Modality
from operations.state import Paths, Plan, RunState
from tests.fixtures.scoring import Pipeline

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PARTS = ["flow-0", "worker", "decoder", "broker", "s3", "postgres", "valkey"]


@contextmanager
def load(pipeline: Pipeline, prefix: str, *, count: int = 60, rate: float = 15.0) -> Iterator[list[str]]:
    """Post clips and captions from another thread while the body does harm."""
    posted: list[str] = []

    def run() -> None:
        for number in range(count):
            clip = pipeline.clips[number % len(pipeline.clips)] if number % 2 else None
            posted.extend(post_one(pipeline, f"{prefix}-{number}", is_text=clip is None))
            time.sleep(1 / rate)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.7)
    yield posted
    thread.join()


def post_one(pipeline: Pipeline, video_id: str, *, is_text: bool) -> list[str]:
    """Producers retry too: a store that is away for a moment is asked again."""
    deadline_s = time.monotonic() + 60
    while True:
        try:
            if is_text:
                return pipeline.post_texts([f"caption of {video_id}"], prefix=video_id)
            return pipeline.post(1, prefix=video_id)
        except Exception:  # noqa: BLE001 - whatever is down, it comes back
            assert time.monotonic() < deadline_s
            time.sleep(0.2)


def pid_of(pipeline: Pipeline, part: str) -> int:
    if part != "decoder":
        return pipeline.platform.pid(part)
    children = psutil.Process(pipeline.platform.pid("flow-0")).children(recursive=True)
    return next(child.pid for child in children if "core.media.child" in child.cmdline())


def assert_whole(pipeline: Pipeline, posted: list[str]) -> None:
    account = pipeline.wait_for(posted, timeout_s=120)
    assert (account.lost, account.duplicates) == (0, 0)
    with connect(pipeline.platform.settings.store.dsn.get_secret_value()) as connection:
        rows = connection.execute(
            "SELECT body FROM videos WHERE verdict = 'safe' AND video_id = ANY(%s)", [posted]
        ).fetchall()
    for (body,) in rows:
        wanted = {Modality.TEXT.value} | ({Modality.VIDEO.value} if body["media_uri"] else set())
        assert all(body["modalities"][name]["scores"] for name in wanted if name in body["modalities"])
        assert wanted <= set(body["modalities"])


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_loses_nothing_and_doubles_nothing(pipeline: Pipeline, part: str) -> None:
    pipeline.wait_for(pipeline.post(2, prefix=f"warm-{part}"))

    with load(pipeline, f"kill-{part}") as posted:
        os.kill(pid_of(pipeline, part), signal.SIGKILL)

    assert_whole(pipeline, posted)


def test_a_lost_recovery_directory_loses_nothing(pipeline: Pipeline) -> None:
    with load(pipeline, "state-lost") as posted:
        before = pipeline.platform.pid("flow-0")
        shutil.rmtree(pipeline.platform.settings.flow.state_dir)
        os.kill(before, signal.SIGKILL)

    assert_whole(pipeline, posted)


def test_another_number_of_shares_loses_nothing(pipeline: Pipeline) -> None:
    paths = Paths(pipeline.platform.root)
    try:
        with load(pipeline, "rescale", count=80) as posted:
            Plan(worker=True, flows=2).write(paths.plan)
            wait_for_flows(paths, {"flow-0", "flow-1"})
        assert_whole(pipeline, posted)
        with load(pipeline, "rescale-back") as posted:
            Plan(worker=True, flows=1).write(paths.plan)
            wait_for_flows(paths, {"flow-0"})
    finally:
        Plan(worker=True, flows=1).write(paths.plan)
    assert_whole(pipeline, posted)


def wait_for_flows(paths: Paths, wanted: set[str]) -> None:
    deadline_s = time.monotonic() + 60
    while True:
        run = RunState.read(paths.run)
        names = (
            {record.name for record in run.processes if record.name.startswith("flow") and record.state == "ready"}
            if run
            else set()
        )
        if names == wanted:
            return
        assert time.monotonic() < deadline_s, f"flows are {names}, not {wanted}"
        time.sleep(0.2)


def test_a_stop_drains_and_exits_cleanly(pipeline: Pipeline) -> None:
    posted = pipeline.post(6, prefix="drain")
    flow = psutil.Process(pipeline.platform.pid("flow-0"))

    flow.terminate()

    assert flow.wait(timeout=40) in (0, None)
    assert_whole(pipeline, posted)
