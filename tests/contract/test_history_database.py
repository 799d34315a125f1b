import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from core.errors import ConfigError, StoreUnavailable
from core.events import RecordRef, Verdict
from core.settings import StoreSettings
from core.storage import migrate as migrate_module
from core.storage.history import TimescaleHistory
from core.storage.history_sql import RECENT_FLAGGED
from core.storage.migrate import migrate
from tests.fixtures.stores import NOON, Line, make_alert, make_dead_letter, make_verdict

MIGRATIONS = Path(migrate_module.__file__).parent / "migrations"
SERIES = (
    "SELECT bucket, verdict, source, language, videos, score_sum, score_max FROM verdicts_per_minute ORDER BY 1, 2, 4"
)


@contextmanager
def _history(dsn: str, *, pool_max: int = 1, retention_days: int = 90) -> Iterator[TimescaleHistory]:
    history = TimescaleHistory(StoreSettings(dsn=SecretStr(dsn), pool_max=pool_max, retention_days=retention_days))
    try:
        yield history
    finally:
        history.close()


def _rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        return connection.execute(query.encode()).fetchall()


def test_every_record_is_a_sighting_and_every_content_one_fact(database: str) -> None:
    replay = make_verdict("v:1", offset=3, minute=2, replay_of="video.posted.v1:0:1")

    with _history(database) as history:
        history.write([make_verdict("v:1", offset=1), make_verdict("v:1", offset=2, minute=1)], [])
        history.write([replay, make_verdict("v:2", offset=4)], [])
        history.write([replay], [])

    sightings = _rows(database, 'SELECT "offset", video_id, replay_of FROM sightings ORDER BY 1')
    mark = "video.posted.v1:0:1"
    assert sightings == [(1, "v:1", None), (2, "v:1", None), (3, "v:1", mark), (4, "v:2", None)]
    assert _rows(database, "SELECT video_id FROM verdicts ORDER BY 1") == [("v:1",), ("v:2",)]


def test_the_columns_say_what_the_body_says(database: str) -> None:
    alert = make_alert(language=None, author_id=None)

    with _history(database) as history:
        history.write([alert], [])

    for table in ("videos", "verdicts"):
        query = f"SELECT verdict, action, label, score, language, body->>'caption', failures FROM {table}"  # noqa: S608 - ours
        assert _rows(database, query) == [("harmful", "alert", "violence", 0.9, None, "xin chào", 0)]


def test_the_series_counts_facts_per_minute(database: str) -> None:
    posts = [make_verdict(f"v:{n}", offset=n, minute=n / 4, score=n / 10) for n in range(6)]

    with _history(database) as history:
        history.write([*posts, make_alert("v:x", offset=9, language=None)], [])
        for _ in range(2):
            history.refresh_aggregates(NOON - timedelta(minutes=1))

    first, second = NOON, NOON + timedelta(minutes=1)
    assert _rows(database, SERIES) == [
        (first, "harmful", "live", None, 1, 0.9, 0.9),
        (first, "safe", "live", "vi", 4, pytest.approx(0.6), 0.3),
        (second, "safe", "live", "vi", 2, 0.9, 0.5),
    ]


def test_a_refresh_counts_late_facts_and_leaves_older_buckets(database: str) -> None:
    with _history(database) as history:
        history.write([make_verdict("v:1", offset=1)], [])
        history.refresh_aggregates(NOON - timedelta(minutes=1))
        history.write([make_verdict("v:2", offset=2), make_verdict("v:3", offset=3, minute=9)], [])
        history.refresh_aggregates(NOON - timedelta(minutes=1))
        history.refresh_aggregates(NOON + timedelta(minutes=5))

    assert [(row[0], row[4]) for row in _rows(database, SERIES)] == [(NOON, 2), (NOON + timedelta(minutes=9), 1)]


def test_flagged_ones_are_found_by_their_index(database: str) -> None:
    with _history(database) as history:
        history.write([make_alert("v:x"), *(make_verdict(f"v:{n}", offset=n, minute=n) for n in range(1, 500))], [])

    plan = _rows(database, "EXPLAIN " + RECENT_FLAGGED.decode().replace("%(limit)s", "500"))

    assert "videos_flagged" in str(plan)


def test_what_is_older_than_retention_is_deleted(database: str) -> None:
    with _history(database, retention_days=1) as history:
        history.write([make_verdict("v:old", offset=1), make_verdict("v:new", offset=2, minute=60)], [])
        history.write([], [make_dead_letter(offset=1), make_dead_letter(offset=2, minute=60)])

        history.delete_expired(NOON + timedelta(days=1, minutes=30))

        assert [verdict.video_id for verdict in history.recent(9)] == ["v:new"]
        assert [row.dead_letter.record.offset for row in history.dead_letters(9)] == [2]
    assert (
        _rows(database, "SELECT count(*) FROM contents") == _rows(database, "SELECT count(*) FROM sightings") == [(1,)]
    )


def test_migrating_again_changes_nothing(database: str) -> None:
    assert migrate(database) == []


def test_tables_for_reviews_and_commands_are_there(database: str) -> None:
    for table in ("review_decisions", "operator_commands"):
        assert _rows(database, f"SELECT * FROM {table} LIMIT 0") == []  # noqa: S608 - ours


@pytest.mark.timescale
def test_timescale_partitions_compresses_keeps_and_refreshes(timescale_dsn: str) -> None:
    migrate(timescale_dsn, retention_days=30)

    jobs = dict(_rows(timescale_dsn, "SELECT proc_name, config::text FROM timescaledb_information.jobs"))
    assert {"policy_compression", "policy_retention", "policy_refresh_continuous_aggregate"} <= jobs.keys()
    assert "30 days" in jobs["policy_retention"]
    query = "SELECT hypertable_name, compression_enabled FROM timescaledb_information.hypertables"
    assert ("verdicts", True) in _rows(timescale_dsn, query)


@pytest.mark.timescale
def test_a_late_verdict_reaches_a_compressed_chunk(timescale_dsn: str, request: pytest.FixtureRequest) -> None:
    late = make_alert("v:late", offset=2, minute=1)
    with _history(timescale_dsn) as history:
        history.write([make_verdict("v:compressed", offset=1)], [])
    assert _rows(timescale_dsn, "SELECT compress_chunk(c) FROM show_chunks('verdicts') c")

    with _history(timescale_dsn) as history:
        assert history.write([late], []).facts == {late.verdict_id}
        assert history.write([late, make_verdict("v:compressed", offset=1)], []).facts == frozenset()


@pytest.fixture
def empty_database(postgres_dsn: str, request: pytest.FixtureRequest) -> Iterator[str]:
    name = "fresh"
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE fresh")
        yield make_conninfo(postgres_dsn, dbname=name)
        connection.execute("DROP DATABASE fresh WITH (FORCE)")


def test_several_processes_may_migrate_at_once(empty_database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, [empty_database] * 4))

    names = sorted(file.name for file in MIGRATIONS.glob("*.sql") if not file.name.endswith(".timescale.sql"))
    assert sorted(map(len, applied)) == [0, 0, 0, len(names)]
    assert [name for found in applied for name in found] == names


def test_before_the_first_migration_the_store_is_unavailable(empty_database: str) -> None:
    with _history(empty_database) as history:
        with pytest.raises(StoreUnavailable):
            history.write([make_verdict()], [])
        migrate(empty_database)
        history.write([make_verdict()], [])


def test_writers_at_once_neither_lock_each_other_out_nor_add_a_fact_twice(postgres_dsn: str) -> None:
    contents = [(f"v:{n % 20}", f"{n % 3:064d}") for n in range(60)]

    def batch(seed: int) -> list[Verdict]:
        chosen = random.Random(seed).sample(contents, k=60)
        return [
            make_verdict(video, minute=n, caption_sha256=caption, record=RecordRef(topic="t", partition=seed, offset=n))
            for n, (video, caption) in enumerate(chosen)
        ]

    with _history(postgres_dsn, pool_max=4) as history, ThreadPoolExecutor(4) as pool:
        written = list(pool.map(lambda seed: history.write(batch(seed), []), range(100, 140)))

    assert sum(len(one.facts) for one in written) == len(contents)
    assert len(_rows(postgres_dsn, "SELECT 1 FROM sightings WHERE partition >= 100")) == 40 * 60


@pytest.fixture
def database_line(postgres_dsn: str, line: Callable[[str, int], Line]) -> tuple[Line, str]:
    server = conninfo_to_dict(postgres_dsn)
    laid = line(str(server["host"]), int(server["port"] or 5432))
    return laid, make_conninfo(postgres_dsn, host="127.0.0.1", port=laid.port)


def test_a_database_away_is_unavailable_within_seconds_and_comes_back(database_line: tuple[Line, str]) -> None:
    laid, dsn = database_line
    with _history(dsn, pool_max=2) as history:
        history.ping()

        laid.cut()
        for call in (history.ping, lambda: history.write([make_verdict()], []), lambda: history.current("v:1")):
            began_s = time.monotonic()
            with pytest.raises(StoreUnavailable):
                call()
            assert time.monotonic() - began_s < 6
        laid.restore()

        assert history.write([make_verdict("v:back", offset=77)], []).current == {"v:back"}


def test_a_database_that_is_not_there_yet_is_waited_for(database_line: tuple[Line, str]) -> None:
    laid, dsn = database_line
    laid.cut()

    with _history(dsn) as history:
        with pytest.raises(StoreUnavailable):
            history.ping()
        with pytest.raises(StoreUnavailable):
            migrate(dsn)
        laid.restore()
        history.ping()


def test_an_unreadable_dsn_is_refused_without_repeating_it() -> None:
    for use in (migrate, lambda dsn: TimescaleHistory(StoreSettings(dsn=SecretStr(dsn)))):
        with pytest.raises(ConfigError, match="CLIPWARDEN_STORE__DSN") as refused:
            use("postgresq://user:hunter2@host")
        assert "hunter2" not in str(refused.value)
