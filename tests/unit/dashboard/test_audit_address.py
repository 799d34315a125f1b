import base64
import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from core.labels import VerdictKind
from dashboard.audit_address import OFFERED, PARAMETERS, SHOWN, Address, Form, parse, written
from dashboard.audit_words import COLUMN_NAMES, FIELDS, SORTS
from dashboard.data.search_query import FILTERS, Place, Query, Sort, fits
from dashboard.data.search_rows import Row
from dashboard.data.search_sql import page
from dashboard.vietnamese import WORDS

FULL = Query(
    video_id="v:1",
    author="an_vui",
    hashtag="đẹp",
    words="cà phê, 'x'",
    verdicts=(VerdictKind.HARMFUL, VerdictKind.SAFE),
    label="violence",
    score_min=0.25,
    score_max=0.75,
    model_version="text:3",
    source="crawl",
    language="vi",
    since=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
    until=datetime(2026, 3, 2, tzinfo=UTC),
)


def test_what_is_written_into_an_address_is_read_from_it() -> None:
    address = {PARAMETERS[name]: written(getattr(FULL, name)) for name in FULL.narrowed}

    assert parse(address).query == FULL
    assert set(PARAMETERS) == set(FILTERS) == set(FULL.narrowed)


def test_an_empty_address_is_everything_in_the_gallery() -> None:
    assert parse({}) == Address(Query(), Form.GALLERY, SHOWN)


@pytest.mark.parametrize(
    "parameters",
    [
        {"form": "x", "sort": "x", "order": "x", "columns": "x,,caption; --"},
        {"min": "x", "max": "nan", "from": "x", "to": "2026-13-01"},
        {"min": "-1", "max": "inf"},
        {"verdict": "x,<script>"},
        {"author": "\x00\ud800"},
        {"from": "0001-01-01", "to": "9999-12-31T23:59:59-12:00"},
    ],
)
def test_what_an_address_says_wrongly_is_not_said(parameters: dict[str, str]) -> None:
    assert parse(parameters) == parse({})


INSTANTS = some.one_of(
    some.datetimes(timezones=some.just(UTC)).map(lambda at: at.isoformat()),
    some.dates().map(lambda day: f"{day}T00:00:00{chr(43)}14:00"),
    some.text("0123456789-:T+Z٣ ", max_size=30),
)
LETTERS = some.text("aé\x00\ud800 ", max_size=8)
JSON = some.none() | some.booleans() | some.integers() | some.floats() | LETTERS | some.lists(LETTERS, max_size=5)
PARTS = some.tuples(JSON, INSTANTS | JSON, JSON, JSON)


@given(INSTANTS, some.sampled_from([-12, 14]))
def test_every_instant_of_an_address_can_be_shown_in_every_zone(said: str, hours: int) -> None:
    query = parse({"from": said, "to": said}).query

    assert query.since == query.until
    assert query.since is None or query.since.astimezone(timezone(timedelta(hours=hours)))


@given(PARTS | JSON, some.sampled_from(Sort))
@example(("a\x00", "2026-01-01T00:00:00+00:00", "v:1", False), Sort.LABEL)
@example((True, "2026-01-01T00:00:00+00:00", "v:1\ud800", False), Sort.SCORE)
@example((10**400, "0001-01-01T00:00:00+23:59", "v:1", False), Sort.SCORE)
def test_no_place_of_an_address_makes_a_statement_that_cannot_be_sent(parts: object, sort: Sort) -> None:
    token = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()

    place = fits(Place.parse(token), sort)

    statement = page(Query(sort=sort), place, 5).as_bytes()
    assert b"\0" not in statement
    assert place is None or place.event_time.utcoffset() == timedelta()


def test_a_place_that_is_too_deep_or_too_long_is_none() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 5_000).decode()

    assert Place.parse(deep) is None
    assert Place.parse("W" * 1_000_000) is None


def test_columns_come_in_the_tables_own_order() -> None:
    assert parse({"columns": "score,caption,score"}).columns == ("caption", "score")


def test_a_filter_is_cleared_alone() -> None:
    assert FULL.without("words").narrowed == tuple(name for name in FILTERS if name != "words")


def test_every_filter_order_and_column_has_its_words_in_both_languages() -> None:
    assert set(FIELDS) == set(FILTERS)
    assert set(SORTS) == set(Sort)
    assert set(OFFERED) == set(COLUMN_NAMES) <= {field.name for field in fields(Row)}
    assert {*FIELDS.values(), *SORTS.values(), *COLUMN_NAMES.values(), "Gallery", "Detail", "Table"} <= set(WORDS)
