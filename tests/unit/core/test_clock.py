"""Instants are aware UTC, durations never go back."""

from datetime import UTC, datetime, timedelta

from core.clock import FixedClock, SystemClock


def test_system_clock_tells_aware_utc() -> None:
    now = SystemClock().now()

    assert now.utcoffset() == timedelta(0)


def test_system_seconds_never_go_back() -> None:
    clock = SystemClock()

    readings_s = [clock.monotonic_s() for _ in range(100)]

    assert readings_s == sorted(readings_s)


def test_fixed_clock_stands_until_moved() -> None:
    clock = FixedClock(datetime(2026, 11, 22, tzinfo=UTC))
    before = clock.now(), clock.monotonic_s()

    clock.elapsed_s += 2.5

    assert (clock.now(), clock.monotonic_s()) == (before[0], before[1] + 2.5)
