"""A flow started while a dependency is down waits for it, says so on /readyz, and loses and doubles nothing."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from operations.processes import CODE_DIR
from operations.product import flow
from operations.state import Site
from tests.fixtures.outages import CHECKS, away, run_flows, wait_until_named, wait_until_only, wait_until_ready
from tests.fixtures.scoring import Pipeline

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]

STOP_TIMEOUT_S = 25.0
"""What its supervisor grants a flow."""
PRODUCE_WITHOUT = {"postgres", "valkey", "worker"}
"""Events can be posted while these are down."""


@pytest.fixture(scope="module")
def flowless(pipeline: Pipeline) -> Iterator[Pipeline]:
    """Servers and worker; the flow is the test's own."""
    run_flows(pipeline.platform, 0)
    yield pipeline
    run_flows(pipeline.platform, 1)


@pytest.fixture
def start(flowless: Pipeline, tmp_path: Path) -> "Iterator[Callable[[], subprocess.Popen[bytes]]]":
    """Starts a flow as its supervisor would; it does not outlive the test."""
    spec = flow(Site.load(flowless.platform.root), 0, 1)
    started: list[subprocess.Popen[bytes]] = []

    def run() -> "subprocess.Popen[bytes]":
        with (tmp_path / "flow.log").open("ab") as log:
            started.append(subprocess.Popen(spec.command, env=dict(spec.env), cwd=CODE_DIR, stdout=log, stderr=log))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("part", list(CHECKS))
def test_a_flow_started_without_a_dependency_waits_for_it(
    flowless: Pipeline, start: "Callable[[], subprocess.Popen[bytes]]", part: str, tmp_path: Path
) -> None:
    port = flow(Site.load(flowless.platform.root), 0, 1).port
    posted = flowless.post(2, prefix=f"before-{part}")

    with away(flowless.platform, part):
        interrupted = start()
        wait_until_named(port, CHECKS[part])
        interrupted.send_signal(signal.SIGINT)
        assert interrupted.wait(STOP_TIMEOUT_S) == 0
        started = start()
        wait_until_named(port, CHECKS[part])
        if part in PRODUCE_WITHOUT:
            posted += flowless.post(2, prefix=f"during-{part}")
        wait_until_only(port, CHECKS[part])
    posted += flowless.post(2, prefix=f"after-{part}")

    account = flowless.wait_for(posted)
    assert (account.lost, account.duplicates) == (0, 0)
    wait_until_ready(port)
    started.terminate()
    assert started.wait(STOP_TIMEOUT_S) == 0
    assert "Traceback" not in (tmp_path / "flow.log").read_text(encoding="utf-8")
