"""What a key may ask per minute and at once."""

from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from core.clock import FixedClock
from core.settings_gateway import GatewaySettings
from ingestion.gateway.limits import Limits
from ingestion.gateway.refusals import RequestsTooMany

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def limits(clock: FixedClock | None = None, **settings: int) -> Limits:
    return Limits(GatewaySettings.model_validate(settings), clock or FixedClock(NOON))


def test_a_key_over_its_rate_waits_and_others_do_not() -> None:
    clock = FixedClock(NOON)
    door = limits(clock, key_requests_per_min=60)
    for _ in range(6):
        door.take("a")

    with pytest.raises(RequestsTooMany) as refused:
        door.take("a")
    door.take("b")
    clock.elapsed_s += refused.value.retry_after_s or 0

    door.take("a")


def test_a_pause_gives_no_more_than_the_burst() -> None:
    clock = FixedClock(NOON)
    door = limits(clock, key_requests_per_min=60)
    door.take("a")
    clock.elapsed_s += 3_600

    for _ in range(6):
        door.take("a")
    with pytest.raises(RequestsTooMany):
        door.take("a")


@pytest.mark.parametrize(("per_key", "total", "other"), [(1, 8, True), (8, 1, False)])
def test_uploads_at_once_are_bounded_for_a_key_and_for_all(per_key: int, total: int, *, other: bool) -> None:
    door = limits(key_uploads=per_key, max_uploads=total)
    with ExitStack() as held:
        held.enter_context(door.upload("a"))
        with pytest.raises(RequestsTooMany), door.upload("a"):
            pass
        if other:
            held.enter_context(door.upload("b"))
        assert door.uploads == 1 + other

    assert door.uploads == 0
    with door.upload("a"):
        assert door.uploads == 1
