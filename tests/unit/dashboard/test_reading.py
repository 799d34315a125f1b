from datetime import timedelta

import pytest

from core.clock import FixedClock
from core.errors import StoreUnavailable
from core.events import Verdict
from core.storage.ports import Heartbeat, LiveSnapshot
from dashboard.reading import PROBE_EVERY_S, Probe, Reader, current_as_of, is_stale
from tests.fixtures.console import History, Live
from tests.fixtures.stores import NOON, make_alert

LATER = NOON + timedelta(seconds=30)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


def snapshot(*beats: Heartbeat) -> LiveSnapshot:
    return LiveSnapshot((), {}, NOON, (), beats, NOON)


def flow(state: str, *, waits_s: float = 0.0) -> Heartbeat:
    return Heartbeat("flow", "0/1", state, "1", LATER, numbers={"oldest_waiting_s": waits_s})


def test_a_probe_asks_again_only_after_a_while_and_keeps_the_first_failure(clock: FixedClock) -> None:
    asked = []

    def ping() -> None:
        asked.append(clock.at)
        raise StoreUnavailable("down")

    probe = Probe(ping, clock)
    assert probe.down_since() == NOON
    clock.at, clock.elapsed_s = LATER, PROBE_EVERY_S - 1
    assert probe.down_since() == NOON
    clock.elapsed_s = PROBE_EVERY_S
    assert probe.down_since() == NOON

    assert asked == [NOON, LATER]


def test_redis_down_reads_the_database_until_it_is_back(clock: FixedClock) -> None:
    live, history = Live(), History()
    history.write([make_alert("v:1")], [])
    reader = Reader(live, history, clock)
    live.is_down = True

    fallback = reader.read()
    assert fallback.live_down_since == NOON
    assert [verdict.video_id for verdict in fallback.snapshot.verdicts] == ["v:1"]
    assert fallback.snapshot.counts["harmful"] == 1

    live.is_down = False
    assert reader.read().live_down_since is None


def test_a_database_that_dies_between_ping_and_query_raises_nothing(clock: FixedClock) -> None:
    class Dying(History):
        def recent(self, limit: int, *, flagged_only: bool = False) -> list[Verdict]:
            raise StoreUnavailable("gone")

    live = Live()
    live.is_down = True

    assert Reader(live, Dying(), clock).read().snapshot.verdicts == ()


def test_an_error_of_ours_is_not_taken_for_a_store_that_is_down(clock: FixedClock) -> None:
    class Broken(Live):
        def snapshot(self) -> LiveSnapshot:
            raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        Reader(Broken(), History(), clock).read()


def test_a_quiet_stream_is_not_stale_but_one_that_waits_is() -> None:
    assert is_stale(snapshot(), LATER)
    assert not is_stale(snapshot(flow("ready")), LATER)
    assert is_stale(snapshot(flow("ready", waits_s=30)), LATER)
    assert is_stale(snapshot(flow("waiting")), LATER)


def test_nothing_read_yet_is_not_stale() -> None:
    empty = LiveSnapshot((), {}, None, (), (), None)

    assert current_as_of(empty) is None
    assert not is_stale(empty, LATER)
