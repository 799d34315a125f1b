"""What every heartbeat tells: how fast totals grow, and what was logged last as a warning or worse."""

from core.vitals import Rates, Troubles, vitals


def test_a_total_becomes_what_was_added_per_second_over_the_last_minute() -> None:
    rates = Rates(over_s=60)

    assert rates.of({"done_total": 10, "queue": 3}, 0) == {}
    assert rates.of({"done_total": 40, "queue": 3}, 10) == {"done_per_s": 3.0}
    rates.of({"done_total": 40}, 60)
    assert rates.of({"done_total": 40}, 120) == {"done_per_s": 0.0}


def test_a_line_as_bad_as_a_warning_is_remembered_and_passed_on() -> None:
    troubles = Troubles()
    line = {"event": "dependency.away", "level": "warning", "reason": "refused"}

    assert troubles(None, "", line) is line
    troubles(None, "", {"event": "flow.ready", "level": "info"})

    assert troubles.last.text == "dependency.away: refused"
    assert troubles.last.at is not None


def test_memory_and_uptime_are_known() -> None:
    assert vitals()["memory_bytes"] > 1_000_000
    assert vitals()["uptime_s"] >= 0
