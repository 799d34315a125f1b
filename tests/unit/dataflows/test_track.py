"""What is read but not written bounds the process and names the offset to commit."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dataflows.track import InFlight

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_the_offset_to_commit_is_that_of_the_lowest_unwritten_record() -> None:
    in_flight = InFlight(100)
    for offset in (7, 8, 9):
        in_flight.began(0, offset, NOW, size_bytes=1)

    in_flight.ended(0, 8)
    in_flight.ended(0, 9)
    assert in_flight.commit_offsets() == {0: 7}

    in_flight.ended(0, 7)
    assert in_flight.commit_offsets() == {0: 10}


def test_room_shrinks_with_what_is_unwritten() -> None:
    in_flight = InFlight(2)
    in_flight.began(0, 1, NOW, size_bytes=1)
    in_flight.began(1, 1, NOW, size_bytes=1)
    assert in_flight.room() == 0

    in_flight.ended(0, 1)
    assert in_flight.room() == 1


def test_a_slow_partition_leaves_room_for_the_others_and_resumes_when_it_has_caught_up() -> None:
    in_flight = InFlight(16)
    for offset in range(8):
        in_flight.began(0, offset, NOW, size_bytes=1)
    in_flight.began(1, 0, NOW, size_bytes=1)
    assert in_flight.crowded(frozenset()) == {0}

    for offset in range(3):
        in_flight.ended(0, offset)
    assert in_flight.crowded(frozenset()) == frozenset()
    assert in_flight.crowded({0}) == {0}

    for offset in range(3, 5):
        in_flight.ended(0, offset)
    assert in_flight.crowded({0}) == frozenset()


def test_at_its_limit_in_bytes_nothing_is_read_and_a_record_larger_than_it_passes_alone() -> None:
    in_flight = InFlight(100, limit_bytes=10)
    in_flight.began(0, 1, NOW, size_bytes=9)
    assert in_flight.room() == 99

    in_flight.began(1, 1, NOW, size_bytes=50)
    in_flight.began(1, 1, NOW, size_bytes=50)
    assert (in_flight.room(), in_flight.held_bytes) == (0, 59)

    in_flight.ended(1, 1)
    in_flight.ended(1, 1)
    in_flight.ended(2, 1)
    assert (in_flight.room(), in_flight.held_bytes) == (99, 9)


def test_a_partition_is_crowded_by_bytes_too() -> None:
    in_flight = InFlight(100, limit_bytes=100)
    in_flight.began(0, 1, NOW, size_bytes=25)
    in_flight.began(0, 2, NOW, size_bytes=25)
    in_flight.began(1, 1, NOW, size_bytes=49)
    assert in_flight.crowded(frozenset()) == {0}

    in_flight.ended(0, 1)
    assert in_flight.crowded(frozenset()) == frozenset()
    assert in_flight.crowded({0}) == {0}


def test_the_oldest_wait_is_told() -> None:
    in_flight = InFlight(10)
    assert in_flight.oldest_waiting_s(NOW) == 0.0

    in_flight.began(0, 1, NOW - timedelta(seconds=3), size_bytes=1)
    in_flight.began(1, 1, NOW - timedelta(seconds=9), size_bytes=1)
    assert in_flight.oldest_waiting_s(NOW) == 9.0


@given(st.permutations(range(20)), st.integers(0, 20))
def test_no_order_of_writing_commits_past_an_unwritten_record(order: list[int], written: int) -> None:
    in_flight = InFlight(100)
    for offset in range(20):
        in_flight.began(0, offset, NOW, size_bytes=1)

    for offset in order[:written]:
        in_flight.ended(0, offset)

    assert in_flight.commit_offsets()[0] == min(order[written:], default=20)
    assert in_flight.count == 20 - written


def test_positions_tell_of_every_assigned_partition() -> None:
    in_flight = InFlight(100)
    in_flight.assigned({0: 7, 1: -2, 2: 5})
    in_flight.began(2, 5, NOW, size_bytes=1)
    in_flight.began(2, 6, NOW + timedelta(seconds=1), size_bytes=1)
    in_flight.ended(2, 6)

    first, fresh, busy = in_flight.positions()

    assert (first.read_offset, first.written_offset, first.oldest_at) == (7, 7, None)
    assert (fresh.read_offset, fresh.waiting) == (None, 0)
    assert (busy.read_offset, busy.written_offset, busy.waiting, busy.oldest_at) == (7, 5, 1, NOW)
    assert in_flight.commit_offsets() == {2: 5}
