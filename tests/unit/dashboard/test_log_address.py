from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.storage.audit_log import Act, LogPlace, LogQuery
from dashboard.audit_address import written
from dashboard.log_address import ACT, PLACE, SINCE, SUBJECT, UNTIL, WHO, place_of, query_of
from dashboard.log_address import written as written_place

SINCE_AT, UNTIL_AT = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
FULL = LogQuery("v:1", "An Nguyễn", Act.SAW_MEDIA, SINCE_AT, UNTIL_AT)


def test_what_is_written_into_an_address_is_read_from_it() -> None:
    values = (FULL.subject, FULL.who, FULL.act, FULL.since, FULL.until)
    address = {name: written(value) for name, value in zip((SUBJECT, WHO, ACT, SINCE, UNTIL), values, strict=True)}

    assert query_of(address) == FULL


@pytest.mark.parametrize("place", [LogPlace(7), LogPlace(7, is_newer=True), None])
def test_a_place_is_read_as_it_was_written(place: LogPlace | None) -> None:
    assert place_of({PLACE: written_place(place)}) == place


@given(
    some.dictionaries(
        some.sampled_from([SUBJECT, WHO, ACT, SINCE, UNTIL, PLACE]), some.text("aé\x00\ud800 -0123456789T:")
    )
)
def test_a_hostile_address_asks_for_nothing_that_cannot_be_asked(address: dict[str, str]) -> None:
    query, place = query_of(address), place_of(address)

    assert "\0" not in f"{query.subject}{query.who}".encode().decode()
    assert place is None or 0 <= place.entry_id < 2**63
