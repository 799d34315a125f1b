"""What the Pipeline page makes of heartbeats: nothing that ran disappears without a word."""

from datetime import timedelta

from core.storage.beats import PartitionBeat, ProcessBeat, Silent
from core.storage.ports import Beats, Heartbeat
from dashboard.platform_rows import GONE, executor, partition_rows, process_rows
from tests.fixtures.stores import NOON

FLOW = Heartbeat(
    "flow",
    "0/1",
    "ready",
    "7+ab",
    NOON,
    numbers={"uptime_s": 90.0, "done_per_s": 2.0, "in_flight_videos": 3, "memory_bytes": 1e8},
    host="here",
    pid=41,
    error="dependency.away: refused",
    error_at=NOON,
    partitions=(PartitionBeat(2, 12, 10, 2, NOON),),
)
SUPERVISOR = Heartbeat(
    "supervisor",
    "0",
    "ready",
    "1",
    NOON,
    host="here",
    pid=1,
    processes=(ProcessBeat("flow-0", "ready", NOON, pid=41, memory_bytes=500), ProcessBeat("worker", "stopped", NOON)),
)


def test_a_supervised_process_has_its_own_numbers_and_the_supervisors() -> None:
    _, flow, worker = process_rows(Beats((FLOW, SUPERVISOR), ()), NOON)

    assert (flow.name, flow.state, flow.per_min, flow.queue, flow.memory_bytes) == ("flow-0", "ready", 120.0, 3, 500)
    assert (flow.error, flow.is_supervised) == ("dependency.away: refused", True)
    assert (worker.name, worker.state, worker.uptime_s) == ("worker", "stopped", None)


def test_without_a_supervisor_who_fell_silent_is_gone_not_absent() -> None:
    silent = (
        Silent("flow", "0/1", NOON - timedelta(minutes=3)),
        Silent("worker", "here:9", NOON - timedelta(minutes=5)),
        Silent("worker", "here:12", NOON - timedelta(minutes=1)),
        Silent("gateway", "here:3", NOON - timedelta(hours=2)),
    )

    rows = process_rows(Beats((), silent), NOON)

    assert [(row.name, row.state) for row in rows] == [("flow 0/1", GONE), ("worker here:12", GONE)]
    assert rows[0].last_at == NOON - timedelta(minutes=3)


def test_a_partition_that_no_flow_reads_is_there_all_the_same() -> None:
    rows = partition_rows(Beats((FLOW,), ()))

    assert [row.partition for row in rows if row.beat is None] == [0, 1, 3, 4, 5, 6, 7]
    assert (rows[2].share, rows[2].beat) == ("0/1", FLOW.partitions[0])


def test_who_executes_commands_is_known() -> None:
    assert executor(Beats((FLOW, SUPERVISOR), ())) == "supervisor"
    assert executor(Beats((FLOW,), ())) is None
