from datetime import timedelta

import pytest

from core.access import Role
from core.errors import MediaTimeout
from core.labels import VerdictKind
from core.storage.audit_log import Act
from dashboard.wording import (
    DEEDS,
    MEANINGS,
    ROLES,
    SHAPES,
    ago,
    clock_time,
    code_meaning,
    count,
    duration,
    score,
    size,
)
from tests.fixtures.stores import NOON


@pytest.mark.parametrize(
    ("age_s", "said"),
    [(-3, "just now"), (4, "just now"), (13, "10 s ago"), (65, "1 min ago"), (7300, "2 h ago"), (200_000, "2 d ago")],
)
def test_an_age_has_one_unit_and_never_lies_ahead(age_s: float, said: str) -> None:
    assert ago(NOON, NOON + timedelta(seconds=age_s)) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.84, "0.8 s"), (25, "25 s"), (240, "4 min"), (10_800, "3 h"), (200_000, "2 d")]
)
def test_a_length_of_time_has_one_unit(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_numbers_read_at_a_glance() -> None:
    assert score(0.9345281) == "0.93"
    assert score(None) == "\u2013"
    assert count(1234567) == "1\u202f234\u202f567"
    assert clock_time(67.9) == "1:07"
    assert [size(value) for value in (None, 0, 999, 1500, 8.2e6, 3e12)] == [
        "\u2013", "0 B", "999 B", "1.5 kB", "8.2 MB", "3000.0 GB",
    ]  # fmt: skip


def test_every_verdict_has_a_shape_of_its_own_and_a_meaning() -> None:
    assert set(SHAPES) == set(MEANINGS) == set(VerdictKind)
    assert len(set(SHAPES.values())) == len(VerdictKind)


def test_whatever_people_are_or_do_has_a_word() -> None:
    assert set(DEEDS) == set(Act)
    assert set(ROLES) == set(Role)


def test_a_code_is_explained_in_the_errors_own_words() -> None:
    assert code_meaning("media.timeout") == (MediaTimeout.__doc__ or "")
    assert code_meaning("no.such_code") == ""
