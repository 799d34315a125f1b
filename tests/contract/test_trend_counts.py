"""What is counted for analytics is what the verdicts say, late ones too, and nothing of a forgotten video's names."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from core.events import Verdict
from core.labels import VerdictKind
from core.settings import StoreSettings
from core.storage.history import TimescaleHistory
from core.storage.ledger_pg import PostgresLedger
from core.storage.migrate import migrate
from core.storage.trends import day_of, quarter_of
from tests.fixtures.stores import MODELS, NOON, make_alert, make_verdict

EARLY = NOON - timedelta(days=1)
WAITS = "SELECT bucket, label, model_version, step, alerts FROM alert_waits_per_quarter_hour ORDER BY 3"
COUNTS = "SELECT bucket, verdict, label, score_bin, videos, score_sum FROM {} ORDER BY 1, 2, 4"


@pytest.fixture
def history(database: str) -> Iterator[TimescaleHistory]:
    found = TimescaleHistory(StoreSettings(dsn=SecretStr(database), pool_max=1))
    _rows(found, "TRUNCATE author_tallies, hashtag_tallies, policies, trends_refreshed")
    if not _is_timescale(found):
        _rows(found, "TRUNCATE verdicts_per_quarter_hour, verdicts_per_day, alert_waits_per_quarter_hour")
    yield found
    found.close()


def _rows(history: TimescaleHistory, query: str) -> list[tuple[Any, ...]]:
    # Over the history's own connection: the compiled TimescaleDB takes one at a time.
    with history._database.connection() as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def _is_timescale(history: TimescaleHistory) -> bool:
    return bool(_rows(history, "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"))


def _tallies(history: TimescaleHistory, table: str) -> list[tuple[Any, ...]]:
    return _rows(history, f"SELECT bucket, name, videos, harmful FROM {table} ORDER BY 1, 2")  # noqa: S608 - ours


def test_verdicts_are_counted_by_quarter_and_day_with_their_score_bins(history: TimescaleHistory) -> None:
    unscored = make_verdict("v:u", offset=9, minute=20, verdict=VerdictKind.UNSCORED, score=None)
    posts = [make_verdict(f"v:{n}", offset=n, minute=n, score=0.26) for n in range(3)]

    history.write([*posts, make_alert("v:a", offset=8, minute=14, score=1.0), unscored], [])
    for _ in range(2):
        history.refresh_aggregates(EARLY)

    later = NOON + timedelta(minutes=15)
    harmful = ("harmful", "violence", 19, 1, 1.0)
    assert _rows(history, COUNTS.format("verdicts_per_quarter_hour")) == [
        (NOON, *harmful),
        (NOON, "safe", None, 5, 3, pytest.approx(0.78)),
        (later, "unscored", None, None, 1, None),
    ]
    assert [row[1:5] for row in _rows(history, COUNTS.format("verdicts_per_day"))] == [
        harmful[:4],
        ("safe", None, 5, 3),
        ("unscored", None, None, 1),
    ]


def test_a_verdict_that_came_late_is_counted_where_it_was_posted(history: TimescaleHistory) -> None:
    history.write([make_verdict("v:1", offset=1)], [])
    history.refresh_aggregates(EARLY)

    now = datetime.now(UTC)
    history.write([make_alert("v:2", offset=2, minute=3, decided_at=now)], [])
    history.write([make_verdict("v:3", offset=3, event_time=now, decided_at=now)], [])
    history.refresh_aggregates(now - timedelta(minutes=1))

    found = _rows(history, COUNTS.format("verdicts_per_quarter_hour"))
    assert [(row[0], row[1], row[4]) for row in found] == [
        *([] if _is_timescale(history) else [(NOON, "harmful", 1)]),
        (NOON, "safe", 1),
        (quarter_of(now), "safe", 1),
    ]


def test_waits_of_alerts_are_counted_on_a_scale_of_ten_percent(history: TimescaleHistory) -> None:
    quick = make_alert("v:1", offset=1, decided_at=NOON + timedelta(seconds=1))
    replayed = make_alert("v:2", offset=2, decided_at=NOON + timedelta(seconds=90), replay_of="t:0:1")

    history.write([quick, replayed, make_verdict("v:3", offset=3)], [])
    history.refresh_aggregates(EARLY)

    assert _rows(history, WAITS) == [(NOON, "violence", MODELS, 0, 1)]


def test_an_upgrade_counts_the_waits_that_are_there_by_model(database: str, history: TimescaleHistory) -> None:
    history.write([make_alert("v:1"), make_alert("v:2", minute=1, offset=2, model_version="text:4")], [])
    if not _is_timescale(history):
        _rows(history, "ALTER TABLE alert_waits_per_quarter_hour DROP COLUMN model_version")
    _rows(history, "DELETE FROM schema_migrations WHERE name LIKE '0017%'")
    history.close()

    migrate(database)

    history = TimescaleHistory(StoreSettings(dsn=SecretStr(database), pool_max=1))
    assert _rows(history, WAITS) == [(NOON, "violence", MODELS, 0, 1), (NOON, "violence", "text:4", 0, 1)]
    history.close()


def test_a_hashtag_counts_once_per_video_and_old_tallies_are_by_day(history: TimescaleHistory) -> None:
    tags = ("dance", "dance", "food")

    history.write([make_verdict("v:1", hashtags=tags), make_alert("v:2", offset=2, minute=20, hashtags=tags[:1])], [])
    history.refresh_aggregates(EARLY)

    found = _rows(history, "SELECT bucket, name, label, videos, harmful FROM hashtag_tallies ORDER BY name, label")
    day = day_of(NOON)
    assert found == [(day, "dance", "violence", 1, 1), (day, "dance", None, 1, 0), (day, "food", None, 1, 0)]
    assert {row[0] for row in _tallies(history, "author_tallies")} == {day}


def test_quarters_become_days_when_they_are_old_enough(history: TimescaleHistory) -> None:
    now = datetime.now(UTC)
    history.write([_at(now), _at(now - timedelta(minutes=20), "v:2")], [])
    history.refresh_aggregates(now - timedelta(hours=1))
    fine = _tallies(history, "author_tallies")
    assert {row[0] for row in fine} == {quarter_of(now), quarter_of(now - timedelta(minutes=20))}

    history.delete_expired(now + timedelta(days=4))

    days = _tallies(history, "author_tallies")
    assert {row[0] for row in days} == {day_of(row[0]) for row in fine}
    assert sum(row[2] for row in days) == 2


def _at(at: datetime, video_id: str = "v:1", **changes: object) -> Verdict:
    return make_verdict(video_id, offset=at.minute, event_time=at, decided_at=at, **changes)


def test_a_forgotten_video_leaves_no_name_behind(database: str, history: TimescaleHistory) -> None:
    only = make_alert("v:only", offset=1, author_id="of one video", hashtags=("rare", "shared"))
    history.write([only, make_verdict("v:other", offset=2, author_id="stays", hashtags=("shared",))], [])
    history.refresh_aggregates(EARLY)
    history.close()
    ledger = PostgresLedger(StoreSettings(dsn=SecretStr(database), pool_max=1))

    ledger.forget("v:only", "a test")
    ledger.close()

    history = TimescaleHistory(StoreSettings(dsn=SecretStr(database), pool_max=1))
    assert [row[1:] for row in _tallies(history, "author_tallies")] == [("stays", 1, 0)]
    assert [row[1:] for row in _tallies(history, "hashtag_tallies")] == [("shared", 1, 0)]
    history.close()


def test_what_is_older_than_retention_is_no_longer_counted(history: TimescaleHistory) -> None:
    history.write([make_verdict("v:1")], [])
    history.refresh_aggregates(EARLY)

    history.delete_expired(NOON + timedelta(days=91))

    assert _tallies(history, "author_tallies") == _tallies(history, "hashtag_tallies") == []
