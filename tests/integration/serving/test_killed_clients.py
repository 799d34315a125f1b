"""Clients killed in the middle of a request: no memory, no slot and no queue place is left behind."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from models.arena import DIRECTORY
from models.client import InferRequest
from models.serving.worker import Worker
from tests.fixtures.inference import StubEngine, client_of, running_worker, until

pytestmark = pytest.mark.integration
_ROOT = Path(__file__).parents[3]
_KILLS = 100
_SLOTS = 4


def _killed(endpoint: str, count: int) -> Iterator[int]:
    """The pids of clients, each killed at another moment of its first requests."""
    command = [sys.executable, "-m", "tests.fixtures.hurried", endpoint, str(_SLOTS)]
    mother = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with mother:
        assert mother.stdin is not None
        assert mother.stdout is not None
        for _ in range(count):
            mother.stdin.write("\n")
            mother.stdin.flush()
            pid = int(mother.stdout.readline())
            time.sleep(random.uniform(0, 0.02))
            os.kill(pid, signal.SIGKILL)
            yield pid


def _left_by(pids: list[int]) -> list[Path]:
    return [path for pid in pids for path in DIRECTORY.glob(f"clipwarden-{pid}-*")]


def _is_tidy(worker: Worker, clients: int) -> bool:
    return worker.numbers()["clients"] == clients and not worker.numbers()["queue_requests"]


def test_a_hundred_clients_killed_in_the_middle_of_a_request_harm_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.serving.desk.CLIENT_LOST_S", 2.0)
    monkeypatch.setattr("models.serving.worker._SWEEP_S", 0.2)
    bind = f"ipc://{tmp_path}/worker.sock"
    with running_worker(StubEngine(delay_s=0.002), bind=bind) as worker, client_of(bind, slots=_SLOTS) as survivor:
        survivor.served()

        def score(number: int) -> bool:
            with survivor.slot() as slot:
                slot.frames[:] = number % 256
                result = survivor.infer(InferRequest((number % 60,), slot)).result(60)
            return result.video == pytest.approx({"harmful": number % 256 / 255})

        with ThreadPoolExecutor(4) as others:
            answers = others.map(score, range(_KILLS * 8))
            pids = list(_killed(bind, _KILLS))
            assert all(answers)

        assert len(set(pids)) == _KILLS
        until(lambda: _is_tidy(worker, clients=1), 20)
        until(lambda: not _left_by(pids), 20)
        until(lambda: {name.split("-")[1] for name in worker._reader._open} == {str(os.getpid())}, 20)
        with ExitStack() as held:
            assert len({held.enter_context(survivor.slot()) for _ in range(_SLOTS)}) == _SLOTS
