"""The bench's own processes, at a size that says nothing of speed."""

import importlib.util
from pathlib import Path

import psutil
import pytest

from core.errors import DependencyError
from operations.bench.serving.crew import Crew, Member, Point
from operations.bench.serving.run import server

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("transport", ["ring", "grpc"])
def test_every_client_of_a_round_is_answered_and_the_server_says_what_it_cost(transport: str, tmp_path: Path) -> None:
    if transport == "grpc" and not importlib.util.find_spec("grpc"):
        pytest.skip("grpcio is not installed")
    command = server(transport, "stub", tmp_path)
    with Crew.started(command, transport, clients=2, folder=tmp_path) as crew:
        rounds = [crew.round(Point(clients, 2), warm_s=0.2, seconds=0.5) for clients in (2, 1)]

    assert all(measured.latencies_ms and min(measured.latencies_ms) > 4 for measured in rounds)
    assert all(measured.server_cpu_s > 0 for measured in rounds)
    assert [0 < measured.busy_fraction < 1.1 for measured in rounds] == [transport == "ring"] * 2


def test_the_processes_end_with_the_crew(tmp_path: Path) -> None:
    with Crew.started(server("ring", "stub", tmp_path), "ring", clients=1, folder=tmp_path) as crew:
        pids = [member.psutil.pid for member in crew.members]

    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_process_that_ends_before_it_is_ready_says_why(tmp_path: Path) -> None:
    member = Member(["operations.bench.no_such_module"], tmp_path / "log")

    with pytest.raises(DependencyError, match="No module named"):
        member.hear()
    member.close()
