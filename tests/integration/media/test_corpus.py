"""Every kind of broken or hostile file gets its right answer, in time and within the memory that is promised."""

from pathlib import Path

import pytest

from core.settings import DecodeSettings
from operations.bench.broken import KINDS
from operations.bench.corpus import MOST_BYTES, decode_kind

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_gets_its_right_answer_within_limits(tmp_path: Path, name: str) -> None:
    row = decode_kind(name, tmp_path / name, DecodeSettings())

    assert row["code"] == row["expected"]
    assert row["peak_mb"] * 1e6 <= MOST_BYTES


def test_there_are_at_least_twenty_kinds() -> None:
    assert len(KINDS) >= 20
