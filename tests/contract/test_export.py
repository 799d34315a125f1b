"""What is exported is what was asked for, whole; it is noted; and no spreadsheet runs it."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from core.access import Person, Role
from core.errors_console import Forbidden
from core.settings import StoreSettings
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from dashboard.data import export as exports
from dashboard.data.export import Export
from dashboard.data.search_query import Query
from dashboard.data.table_file import FORMULA, GUARD, Format, cell
from tests.fixtures.stores import make_verdict

pytestmark = pytest.mark.integration

LEAD = Person("lead", "Lead", Role.LEAD)
CAPTIONS = ("=1+1", "+84 90", "-1", "@an", "\tx", 'a "b", c\nd', "Đường", None)


@pytest.fixture
def settings(database: str) -> StoreSettings:
    settings = StoreSettings(dsn=SecretStr(database), pool_max=1)
    history = TimescaleHistory(settings)
    history.write(
        [make_verdict(f"v:{n}", offset=n, minute=n, caption=text, author_id="a1") for n, text in enumerate(CAPTIONS)],
        [],
    )
    history.close()
    return settings


@pytest.fixture
def opened(settings: StoreSettings) -> Iterator[Database]:
    found = Database(settings, "export")
    yield found
    found.close()


@pytest.fixture
def export(opened: Database) -> Export:
    return Export(opened)


def noted(opened: Database) -> list[tuple[str, dict[str, object]]]:
    with opened.connection() as connection:
        return connection.execute("SELECT user_id, detail FROM audit_log WHERE action = 'exported'").fetchall()


def test_every_matching_row_is_in_the_csv_and_none_begins_a_formula(
    export: Export, opened: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "CHUNK_ROWS", 3)
    told: list[tuple[int, int]] = []
    known = len(noted(opened))
    query = Query(author="a1")

    rows = export.save(
        LEAD, query, tmp_path / "x", file_format=Format.CSV, progress=lambda *progress: told.append(progress)
    )

    with (tmp_path / "x").open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["caption"].removeprefix(GUARD) for row in reversed(read)] == [text or "" for text in CAPTIONS]
    assert not [value for row in read for value in row.values() if value.startswith(FORMULA)]
    assert (rows, told) == (8, [(3, 8), (6, 8), (8, 8)])
    assert noted(opened)[known:] == [("lead", {"query": {"author": "a1"}, "rows": 8, "format": "csv"})]


def test_parquet_keeps_values_as_they_are(export: Export, tmp_path: Path) -> None:
    export.save(LEAD, Query(), tmp_path / "x", file_format=Format.PARQUET, progress=lambda *_: None)

    table = pq.read_table(tmp_path / "x").to_pylist()

    assert [row["caption"] for row in reversed(table)] == list(CAPTIONS)
    assert (table[0]["score"], table[0]["has_video"], table[0]["verdict"]) == (0.25, True, "safe")


def test_an_export_that_is_broken_off_is_not_noted(export: Export, opened: Database, tmp_path: Path) -> None:
    known = len(noted(opened))

    def leave(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export.save(LEAD, Query(), tmp_path / "x", file_format=Format.CSV, progress=leave)

    assert len(noted(opened)) == known


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MODERATOR])
def test_who_may_not_export_gets_no_file(export: Export, tmp_path: Path, role: Role) -> None:
    with pytest.raises(Forbidden):
        export.save(Person("v", "V", role), Query(), tmp_path / "x", file_format=Format.CSV, progress=lambda *_: None)

    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("value", "shown"), [(None, ""), (-0.5, "-0.5"), (True, "true"), (["a", "b"], "a b"), (["=a"], "'=a"), ("'=", "'=")]
)
def test_a_value_is_a_cell(value: object, shown: str) -> None:
    assert cell(value) == shown
