from datetime import UTC, timedelta, timezone

from core.storage.ports import Heartbeat, LiveSnapshot
from dashboard.notices import Notice, notices
from dashboard.reading import NO_SNAPSHOT, Reading
from tests.fixtures.stores import NOON


def with_flows(*states: tuple[str, str]) -> list[Notice]:
    beats = tuple(
        Heartbeat("flow", f"{place}/2", state, "1", NOON, detail) for place, (state, detail) in enumerate(states)
    )
    return notices(Reading(LiveSnapshot((), {}, NOON, (), beats, NOON)), NOON, UTC)


def test_all_well_says_nothing() -> None:
    assert with_flows(("ready", "")) == []


def test_one_ready_flow_is_enough() -> None:
    assert with_flows(("ready", ""), ("waiting", "a worker")) == []


def test_states_and_details_are_said_once() -> None:
    (notice,) = with_flows(("waiting", "no worker"), ("waiting", "no worker"))

    assert notice.what == "Scoring is waiting."
    assert notice.then == "no worker. Posted videos wait; nothing is lost."


def test_no_flow_names_the_command() -> None:
    (notice,) = notices(Reading(NO_SNAPSHOT), NOON, UTC)

    assert (notice.what, notice.command) == ("No scoring process is running.", "clipwarden up")


def test_a_silent_redis_is_not_taken_for_a_missing_process() -> None:
    found = notices(Reading(NO_SNAPSHOT, live_down_since=NOON), NOON, UTC)

    assert [notice.what for notice in found] == ["Redis does not answer since 12:00:00."]


def test_times_are_the_viewers() -> None:
    found = notices(Reading(NO_SNAPSHOT, live_down_since=NOON), NOON, timezone(timedelta(hours=7)))

    assert "19:00:00" in found[0].what
