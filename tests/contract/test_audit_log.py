"""The audit log keeps every row as it was written."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from core.access import Person, Role
from core.errors_console import Forbidden
from core.settings import StoreSettings
from core.storage import audit_log
from core.storage.audit_log import Act, AuditLog, LogPage, LogPlace, LogQuery, note
from core.storage.database import Database
from dashboard.data.log_export import save
from dashboard.data.table_file import Format

pytestmark = pytest.mark.integration

LEAD = Person("an", "An", Role.LEAD)


@pytest.fixture
def log(database: str) -> Iterator[AuditLog]:
    found = Database(StoreSettings(dsn=SecretStr(database), pool_max=1), "audit")
    yield AuditLog(found)
    found.close()


def test_what_is_noted_is_read_newest_first(database: str, log: AuditLog) -> None:
    with psycopg.connect(database) as connection:
        note(connection, LEAD, Act.SAW_MEDIA, "v:audit", seconds=3)
        note(connection, LEAD, Act.DECIDED, "v:audit")

    newest, before = log.newest(LEAD, 2, subject="v:audit")

    assert (newest.act, before.act, before.detail) == (Act.DECIDED, Act.SAW_MEDIA, {"seconds": 3})


def test_a_note_falls_with_the_change_it_belongs_to(database: str, log: AuditLog) -> None:
    with psycopg.connect(database) as connection:
        note(connection, LEAD, Act.DECIDED, "v:undone")
        connection.rollback()

    assert log.newest(LEAD, 1, subject="v:undone") == []


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET user_id = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
def test_nothing_in_it_is_ever_changed(database: str, statement: str) -> None:
    with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_who_has_no_right_to_it_reads_nothing_and_takes_nothing(log: AuditLog, tmp_path: Path) -> None:
    for role in (Role.MODERATOR, Role.ENGINEER):
        person = Person("bo", "Bo", role)
        with pytest.raises(Forbidden):
            log.newest(person, 1)
        with pytest.raises(Forbidden):
            save(log, person, LogQuery(), tmp_path / "x", file_format=Format.CSV)

    assert not (tmp_path / "x").exists()


def test_pages_follow_each_other_without_a_gap_and_back_again(database: str, log: AuditLog) -> None:
    with psycopg.connect(database) as connection:
        # In one transaction: all at the same instant.
        for number in range(7):
            note(connection, LEAD, Act.DECIDED, "v:pages", number=number)
    query, pages, place = LogQuery(subject="v:pages"), [], None

    for _ in range(3):
        page = log.page(LEAD, query, 3, place)
        pages.append([entry.detail["number"] for entry in page.entries])
        place = page.older
    back = log.page(LEAD, query, 3, page.newer)

    assert pages == [[6, 5, 4], [3, 2, 1], [0]]
    assert place is None
    assert [entry.detail["number"] for entry in back.entries] == [3, 2, 1]
    assert log.page(LEAD, query, 3, back.newer).newer is None
    assert log.page(LEAD, query, 3, LogPlace(10**17)) == LogPage()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (LogQuery(who="u_cy"), 2),
        (LogQuery(who="cY"), 2),
        (LogQuery(who="cy", act=Act.SAW_MEDIA), 1),
        (LogQuery(who="%"), 0),
        (LogQuery(who="cy", since=datetime(2020, 1, 1, tzinfo=UTC)), 2),
        (LogQuery(who="cy", until=datetime(2020, 1, 1, tzinfo=UTC)), 0),
    ],
)
def test_a_filter_leaves_what_it_names(database: str, log: AuditLog, query: LogQuery, found: int) -> None:
    cy = Person("u_cy", "Cy", Role.MODERATOR)
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO people (user_id, name, sign_in_name, role) VALUES ('u_cy', 'Cy', 'cy of the log', 'moderator')"
            " ON CONFLICT DO NOTHING"
        )
        for act in (Act.SAW_MEDIA, Act.DECIDED):
            note(connection, cy, act, f"v:{query}")

    rows = log.newest(LEAD, 50, subject=f"v:{query}")
    matching = log.page(LEAD, replace(query, subject=f"v:{query}"), 50).entries

    assert len(rows) == 2
    assert len(matching) == found


def test_all_matching_rows_are_taken_away_and_the_log_says_by_whom(
    database: str, log: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "CHUNK_ROWS", 2)
    with psycopg.connect(database) as connection:
        for number in range(5):
            note(connection, LEAD, Act.DECIDED, "=v:taken", number=number)
    query = LogQuery(subject="=v:taken", act=Act.DECIDED)

    rows = [save(log, LEAD, query, tmp_path / form, file_format=form) for form in Format]

    with (tmp_path / "csv").open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.DictReader(file))
    table = pq.read_table(tmp_path / "parquet").to_pylist()
    assert rows == [5, 5]
    assert [json.loads(row["detail"])["number"] for row in read] == [4, 3, 2, 1, 0]
    assert {row["subject"] for row in read} == {"'=v:taken"}
    assert [row["subject"] for row in table] == ["=v:taken"] * 5
    noted = log.newest(LEAD, 2, subject=audit_log.SUBJECT)
    assert [entry.detail for entry in noted] == [
        {"query": {"subject": "=v:taken", "act": "decided"}, "rows": 5, "format": form} for form in ("parquet", "csv")
    ]
