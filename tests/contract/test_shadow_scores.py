"""What every store of shadow scores promises, in memory and in the database."""

from datetime import timedelta

import psycopg
import pytest
from pydantic import SecretStr

from core.labels import Modality, VerdictKind
from core.settings import StoreSettings
from core.storage.history import TimescaleHistory
from core.storage.shadow import ShadowScores
from tests.fixtures.stores import NOON, make_shadow

pytestmark = pytest.mark.integration

HARMFUL = {"challenger_verdict": VerdictKind.HARMFUL, "challenger_score": 0.75}


def test_hours_add_up_per_versions_newest_first(history: ShadowScores) -> None:
    video = {"modality": Modality.VIDEO, "champion": "video:s0", "challenger": "video:5"}

    history.write_shadow([make_shadow(f"v:{n}", minute=n) for n in range(3)])
    history.write_shadow([make_shadow("v:9", minute=59, **HARMFUL), make_shadow("v:9", minute=59, **video)])
    history.write_shadow([make_shadow("v:3", minute=60, champion="text:-", **HARMFUL)])

    found = history.disagreement(NOON)
    seen = [(row.hour, row.modality, row.champion, row.challenger, row.sampled, row.disagree) for row in found]
    assert seen == [
        (NOON + timedelta(hours=1), Modality.TEXT, "text:-", "text:4", 1, 1),
        (NOON, Modality.TEXT, "text:3", "text:4", 4, 1),
        (NOON, Modality.VIDEO, "video:s0", "video:5", 1, 0),
    ]
    assert [(row.rate, row.mean_difference) for row in found] == [(1, 0.5), (0.25, 0.125), (0, 0)]
    assert history.disagreement(NOON + timedelta(minutes=1)) == found[:1]


def test_a_replay_changes_nothing(history: ShadowScores) -> None:
    batch = [make_shadow(f"v:{n}", minute=n) for n in range(3)]

    history.write_shadow(batch)
    before = history.disagreement(NOON)
    history.write_shadow([*batch, *batch, make_shadow("v:0", **HARMFUL)])

    assert history.disagreement(NOON) == before
    assert [row.sampled for row in before] == [3]


def test_nothing_to_write_writes_nothing(history: ShadowScores) -> None:
    history.write_shadow([])

    assert history.disagreement(NOON) == []


def test_what_is_older_than_retention_is_deleted_or_dropped_with_its_chunk(database: str) -> None:
    history = TimescaleHistory(StoreSettings(dsn=SecretStr(database), pool_max=1, retention_days=1))
    history.write_shadow([make_shadow("v:old"), make_shadow("v:new", minute=60)])

    history.delete_expired(NOON + timedelta(days=1, minutes=30))
    history.close()

    with psycopg.connect(database, autocommit=True, prepare_threshold=None) as connection:
        left = connection.execute("SELECT video_id FROM shadow_scores ORDER BY 1").fetchall()
        policies = "SELECT to_regclass('_timescaledb_catalog.hypertable') IS NOT NULL"
        is_timescale = connection.execute(policies).fetchone() == (True,)
        if is_timescale:
            jobs = "SELECT count(*) FROM timescaledb_information.jobs WHERE hypertable_name = 'shadow_scores'"
            assert connection.execute(jobs).fetchone() == (2,)
    assert left == ([("v:new",), ("v:old",)] if is_timescale else [("v:new",)])
