from datetime import timedelta

import pytest

from core.storage.ports import Heartbeat, LiveSnapshot
from dashboard.figures import RATE_BINS, Figure, figures, oldest_waiting_s, p95, rate
from dashboard.navigation import ENTRIES
from dashboard.reading import NO_SNAPSHOT
from tests.fixtures.stores import NOON, make_alert, make_verdict

COUNTS = {"videos": 312, "harmful": 9, "review": 21, "partial": 0, "unscored": 0, "safe": 282, "dead_letters": 0}


def snapshot(counts: dict[str, int] = COUNTS, samples: tuple[float, ...] = (), waits_s: float = 0.8) -> LiveSnapshot:
    beat = Heartbeat("flow", "0/1", "ready", "1", NOON, numbers={"oldest_waiting_s": waits_s})
    return LiveSnapshot((make_verdict(),), counts, NOON, samples, (beat,), NOON)


def strip(found: LiveSnapshot) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures(found, NOON, live_size=500)}


def test_every_figure_opens_a_page_that_the_viewer_may_open() -> None:
    opens = [figure.opens for figure in figures(snapshot(), NOON, live_size=500, sees_platform=True)]
    assert all(opens)
    assert {page.partition("?")[0] for page in opens} <= {entry.path for entry in ENTRIES}
    assert opens[1] == "audit?verdict=harmful&from=2026-03-01T11:00Z"

    lesser = [figure.opens for figure in figures(snapshot(), NOON, live_size=500, sees_platform=False)]
    assert lesser == [page if not page.startswith("pipeline") else "" for page in opens]


@pytest.mark.parametrize(("samples", "expected"), [([], None), ([2.0], 2.0), (range(1, 101), 95), ([3, 1, 2], 3)])
def test_p95_is_the_nearest_rank(samples: list[float], expected: float | None) -> None:
    assert p95(samples) == expected


def test_oldest_waiting_is_the_worst_of_all_flows_and_of_flows_only() -> None:
    beats = [
        Heartbeat("flow", "0/2", "ready", "1", NOON, numbers={"oldest_waiting_s": 1}),
        Heartbeat("flow", "1/2", "ready", "1", NOON, numbers={"oldest_waiting_s": 4}),
        Heartbeat("worker", "0", "ready", "1", NOON, numbers={"oldest_waiting_s": 99}),
    ]

    assert oldest_waiting_s(beats) == 4
    assert oldest_waiting_s([]) is None


def test_rate_counts_the_last_minute_and_bins_ten() -> None:
    verdicts = [make_verdict(f"v:{at}", minute=-at) for at in (0.1, 0.2, 0.5, 3.0, 20.0)]

    found = rate(verdicts, NOON + timedelta(seconds=1), full=False)

    assert found.per_min == 3
    assert found.window_s == 600
    assert len(found.bins) == RATE_BINS
    # A bin is half a minute: two videos in the last one are four a minute.
    assert found.bins[-1] == 4


def test_a_full_view_reaches_back_only_as_far_as_it_is_complete() -> None:
    fast = [make_verdict(f"v:{number}", minute=-number / 60) for number in range(20)]
    kept_longer = make_alert("alert", minute=-9)

    found = rate([*fast, kept_longer], NOON + timedelta(seconds=1), full=True)

    assert found.window_s == 19
    assert found.per_min == pytest.approx(60, abs=5)


def test_a_good_strip_has_no_colour() -> None:
    found = strip(snapshot(samples=(0.8, 1.4)))

    assert {figure.tone for figure in found.values()} == {""}
    assert (found["harmful"].value, found["harmful"].unit) == ("9", "2.9 %")
    assert (found["p95 to alert"].value, found["p95 to alert"].unit) == ("1.4", "s")
    assert (found["oldest waiting"].value, found["oldest waiting"].unit) == ("0.8", "s")


def test_what_is_bad_is_coloured() -> None:
    found = strip(snapshot({**COUNTS, "partial": 2, "unscored": 1, "dead_letters": 3}, samples=(9.0,), waits_s=31))

    assert [found[name].tone for name in ("partial", "unscored", "dead letters", "p95 to alert", "oldest waiting")] == [
        "partial",
        "unscored",
        "bad",
        "bad",
        "bad",
    ]


def test_the_unknown_is_a_dash_and_never_a_zero() -> None:
    assert {figure.value for figure in strip(NO_SNAPSHOT).values()} == {"\u2013"}
