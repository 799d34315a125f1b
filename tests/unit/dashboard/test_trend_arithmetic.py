from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.labels import VerdictKind
from core.storage.trends import QUARTER, day_of, quarter_of, spans
from dashboard.period import Choice, Period, address_of, choice_of, window_of
from dashboard.statistics import change, percentile, wilson
from dashboard.trend_rows import Point
from dashboard.trend_shapes import label_names, rate_rows
from tests.fixtures.stores import NOON

INSTANTS = some.integers(1_600_000_000, 1_900_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))
HANOI = timezone(timedelta(hours=7))


@given(some.integers(0, 10_000), some.integers(1, 10_000))
def test_a_share_lies_in_its_interval_and_the_interval_in_0_to_1(hits: int, more: int) -> None:
    rate = wilson(hits, hits + more)

    assert rate is not None
    assert 0 <= rate.low <= rate.value <= rate.high <= 1


@given(some.integers(1, 500), some.integers(2, 20))
def test_more_of_the_same_share_is_surer(hits: int, times: int) -> None:
    few, many = wilson(hits, 2 * hits), wilson(hits * times, 2 * hits * times)

    assert few is not None
    assert many is not None
    assert many.high - many.low < few.high - few.low


def test_one_of_one_does_not_lead() -> None:
    one, many = wilson(1, 1), wilson(30, 50)

    assert one is not None
    assert many is not None
    assert one.low == pytest.approx(0.2065, abs=1e-4)
    assert many.low == pytest.approx(0.4618, abs=1e-4)
    assert wilson(0, 0) is None


@given(some.lists(some.tuples(some.floats(0, 100), some.integers(1, 50)), min_size=1), some.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_and_enough_lie_below(counted: list[tuple[float, int]], share: float) -> None:
    value = percentile(counted, share)

    assert value in {found for found, _ in counted}
    assert sum(times for found, times in counted if found <= value) >= share * sum(times for _, times in counted)


def test_nothing_is_compared_with_nothing() -> None:
    assert change(3, 2) == 0.5
    assert change(3, 0) is None
    assert percentile([], 0.5) is None


@given(some.lists(INSTANTS, min_size=1, max_size=30), INSTANTS)
def test_what_was_touched_is_recounted_whole(touched: list[datetime], fine_from: datetime) -> None:
    found = spans(touched, fine_from=day_of(fine_from))

    assert all(any(span.start <= at < span.end for span in found) for at in touched)
    assert all(left.end < right.start for left, right in pairwise(found))
    edges = [edge for span in found for edge in (span.start, span.end)]
    assert all(edge == quarter_of(edge) for edge in edges)
    assert all(edge == day_of(edge) for edge in edges if edge < day_of(fine_from))


@given(some.sampled_from([period for period in Period if period is not Period.CUSTOM]), INSTANTS)
def test_a_window_holds_now_and_has_whole_steps(period: Period, now: datetime) -> None:
    window = window_of(Choice(period), now, UTC)

    assert window.start < now < window.end or now == window.start
    assert window.end - window.start == len(window.steps) * window.step
    assert window.start == quarter_of(window.start)
    assert QUARTER <= window.elapsed <= window.length


def test_days_are_the_viewers() -> None:
    window = window_of(Choice(Period.CUSTOM, date(2026, 3, 1), date(2026, 3, 2)), NOON, HANOI)

    assert window.start == datetime(2026, 2, 28, 17, tzinfo=UTC)
    assert window.end == datetime(2026, 3, 2, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "choice",
    [
        Choice(),
        Choice(Period.HOUR, source="live"),
        Choice(Period.CUSTOM, date(2026, 3, 1), date(2026, 3, 9), "crawl", "vi", "a&b=c#"),
    ],
)
def test_an_address_asks_for_what_it_was_made_of(choice: Choice) -> None:
    assert choice_of(address_of(choice)) == choice


def test_days_in_the_wrong_order_are_turned_round() -> None:
    asked = choice_of({"period": "custom", "from": "2026-03-09", "to": "2026-03-01"})

    assert asked == Choice(Period.CUSTOM, date(2026, 3, 1), date(2026, 3, 9))


DAYS = some.one_of(
    some.dates().map(str),
    some.text("0123456789-W", max_size=12),
    some.sampled_from(["0001-01-01", "9999-12-31", "2020-01-01", "١٢٣"]),
)
TEXTS = some.text("aé\x00\ud800 ", max_size=300)
ZONES = some.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(some.sampled_from(["custom", "24h", "\x00"]), DAYS, DAYS, TEXTS, ZONES, INSTANTS)
def test_no_address_is_too_hostile_to_mean_a_window(
    period: str, first: str, last: str, text: str, zone: timezone, now: datetime
) -> None:
    choice = choice_of({"period": period, "from": first, "to": last, "source": text, "label": text})

    window = window_of(choice, now, zone)

    assert window.start - window.length < window.start < window.end
    assert all(at.astimezone(zone) for at in window.steps)
    assert "\0" not in (window.source or "").encode().decode()


@pytest.mark.parametrize("wrong", [{"period": "9y"}, {"period": "custom", "from": "x", "to": "2026-01-01"}])
def test_a_wrong_address_asks_for_a_day(wrong: dict[str, str]) -> None:
    assert choice_of(wrong) == Choice()


def test_a_step_without_videos_is_a_gap() -> None:
    window = window_of(Choice(Period.HOUR), NOON, UTC)

    rows = rate_rows([Point(window.start, VerdictKind.HARMFUL, "hate", 1)], window)

    assert [row["rate"] for row in rows] == [100.0, None, None, None]


def test_rare_labels_are_one() -> None:
    found = [Point(NOON, VerdictKind.HARMFUL, f"l{place}", 10 - place) for place in range(7)]

    assert label_names(found, "other") == ["l0", "l1", "l2", "l3", "other"]
