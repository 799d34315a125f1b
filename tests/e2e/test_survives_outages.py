"""A dependency that is away, or stands still, makes the flow wait and say so; it resumes by itself.

CLIPWARDEN_TEST_OUTAGE_S says for how long each is away.
"""

import os
import time
from datetime import timedelta

import pytest

from ingestion.posts import Post
from operations.audit import Audit
from tests.fixtures.outages import CHECKS, away, frozen, wait_until_named, wait_until_ready, waited_for
from tests.fixtures.scoring import Pipeline

OUTAGE_S = float(os.environ.get("CLIPWARDEN_TEST_OUTAGE_S", "3"))
RECOVERY_TIMEOUT_S = 120.0
PRODUCE_WITHOUT = {"postgres", "valkey", "worker"}
"""The producers of these tests need the others themselves."""
TEXTS_PER_S = 60
"""More than the window holds in a minute: reading stops too."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240 + OUTAGE_S)]


def post_while_away(pipeline: Pipeline, part: str, *, prefix: str, until_s: float) -> list[str]:
    """Post as long as the outage lasts, where that can be done without the part."""
    posted: list[str] = []
    while time.monotonic() < until_s:
        if part in PRODUCE_WITHOUT:
            posted += pipeline.post_texts(["a caption"] * TEXTS_PER_S, prefix=f"{prefix}-{len(posted)}")
        time.sleep(max(0.0, min(1.0, until_s - time.monotonic())))
    return posted


def monitor_says(pipeline: Pipeline) -> str:
    """What the monitor shows of the flow, unless Redis is away; then it says that itself."""
    beats = [beat for beat in pipeline.live.snapshot().heartbeats if beat.kind == "flow"]
    return " ".join(f"{beat.state} {beat.detail}" for beat in beats)


def assert_named(pipeline: Pipeline, part: str) -> None:
    port = pipeline.platform.record("flow-0").port
    wait_until_named(port, CHECKS[part])
    if part != "valkey":
        pipeline.wait_until(lambda: any(f"{name}: " in monitor_says(pipeline) for name in CHECKS[part]))


def assert_whole(pipeline: Pipeline, posted: list[str]) -> Audit:
    account = pipeline.wait_for(posted, timeout_s=RECOVERY_TIMEOUT_S)
    assert (account.lost, account.duplicates) == (0, 0)
    wait_until_ready(pipeline.platform.record("flow-0").port)
    pipeline.wait_until(lambda: monitor_says(pipeline).startswith("ready"))
    return account


@pytest.mark.parametrize("part", list(CHECKS))
def test_a_dependency_that_is_down_is_waited_for_and_named(pipeline: Pipeline, part: str) -> None:
    pipeline.wait_for(pipeline.post(2, prefix=f"before-{part}"))
    port, flow = pipeline.platform.record("flow-0").port, pipeline.platform.pid("flow-0")
    # Objects are fetched and records read only while the store is there: these are under way when it goes.
    posted = pipeline.post(40 if part == "s3" else 4, prefix=f"going-{part}")

    with away(pipeline.platform, part):
        since_s = time.monotonic()
        assert_named(pipeline, part)
        posted += post_while_away(pipeline, part, prefix=f"during-{part}", until_s=since_s + OUTAGE_S)
        assert waited_for(port) & CHECKS[part]
    away_s, back_s = time.monotonic() - since_s, time.monotonic()
    posted += pipeline.post(4, prefix=f"after-{part}")

    account = assert_whole(pipeline, posted)
    assert pipeline.platform.pid("flow-0") == flow
    took = timedelta(seconds=round(time.monotonic() - back_s, 1))
    print(f"{part}: away {away_s:.0f} s, {account.posted} events, {account.lost} lost, all written {took} after its return")  # noqa: T201,E501  # fmt: skip


def test_a_database_that_stands_still_is_waited_for_and_named(pipeline: Pipeline) -> None:
    pipeline.wait_for(pipeline.post(2, prefix="before-frozen"))

    with frozen(pipeline.platform, "postgres"):
        since_s = time.monotonic()
        posted = [
            pipeline.intake.post_file(clip, Post("caption", f"frozen-{n}")).video_id
            for n, clip in enumerate(pipeline.clips)
        ]
        pipeline.producer.flush()
        assert_named(pipeline, "postgres")
        posted += post_while_away(pipeline, "postgres", prefix="while-frozen", until_s=since_s + OUTAGE_S)

    assert_whole(pipeline, posted)
