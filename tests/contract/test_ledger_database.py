"""What only the ledger in the database can promise: erasing a video from every table beside it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from pydantic import SecretStr

from core.settings import StoreSettings
from core.storage.history import TimescaleHistory
from core.storage.items import ItemState
from core.storage.ledger_pg import PostgresLedger
from core.storage.memory import MemoryLive, MemoryMedia
from ingestion.erase import Eraser
from ingestion.orphans import orphans
from tests.fixtures.ledger import LEASE, content, empty_ledger, one, posted
from tests.fixtures.stores import make_dead_letter, make_shadow, make_verdict

pytestmark = pytest.mark.integration

TABLES = ("videos", "verdicts", "contents", "sightings", "dead_letters", "shadow_scores", "items", "item_sightings", "item_outbox")  # fmt: skip  # noqa: E501


# One connection at a time: more the compiled TimescaleDB does not take.
@contextmanager
def _ledger(dsn: str) -> Iterator[PostgresLedger]:
    ledger = PostgresLedger(StoreSettings(dsn=SecretStr(dsn), pool_max=1))
    yield ledger
    ledger.close()


@contextmanager
def _history(dsn: str) -> Iterator[TimescaleHistory]:
    history = TimescaleHistory(StoreSettings(dsn=SecretStr(dsn), pool_max=1))
    yield history
    history.close()


def _execute(dsn: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


def _fill(dsn: str, video_id: str, *, offset: int) -> None:
    with _ledger(dsn) as ledger:
        posted(ledger, video_id, video_id=video_id, media_uri=f"s3://clips/{video_id}")
    letter = {"video_id": None, "key": video_id.encode(), "payload_uri": f"s3://dead/{offset}"}
    with _history(dsn) as history:
        verdict = make_verdict(video_id, offset=offset, media_uri=f"s3://clips/{video_id}")
        history.write([verdict], [make_dead_letter(offset=offset, **letter)])
        history.write_shadow([make_shadow(video_id)])


def _counts(dsn: str) -> dict[str, list[tuple[object, ...]]]:
    return {table: _execute(dsn, f"SELECT count(*) FROM {table}") for table in TABLES}  # noqa: S608


@pytest.fixture
def dsn(database: str) -> str:
    empty_ledger(database)
    return database


def test_a_forgotten_video_is_in_no_table(dsn: str) -> None:
    _fill(dsn, "v:1", offset=1)
    kept = _counts(dsn)
    _fill(dsn, "v:2", offset=2)
    deleted: list[str] = []

    with _ledger(dsn) as ledger:
        done = ledger.forget("v:2", by="an")
        ledger.remove_doomed(deleted.append)

    assert _counts(dsn) == kept
    assert (done.objects, sorted(deleted)) == (2, ["s3://clips/v:2", "s3://dead/2"])


def test_an_object_that_a_video_shows_is_not_deleted_with_an_item_that_gave_it_up(dsn: str) -> None:
    with _history(dsn) as history:
        history.write([make_verdict("v:never-an-item", media_uri="s3://clips/same")], [])
    deleted: list[str] = []

    with _ledger(dsn) as ledger:
        posted(ledger, "v:3", video_id="v:3", media_uri="s3://clips/same")
        ledger.forget("v:3", by="an")
        ledger.remove_doomed(deleted.append)
        assert deleted == []
        ledger.forget("v:never-an-item", by="an")
        ledger.remove_doomed(deleted.append)

    assert deleted == ["s3://clips/same"]


def test_an_item_that_kills_its_workers_is_given_out_no_more(dsn: str) -> None:
    with _ledger(dsn) as ledger:
        item = one(ledger)
    _execute(dsn, "UPDATE items SET deaths = 18, lease_until = now() - interval '1 s'")
    with _ledger(dsn) as ledger:
        (again,) = ledger.claim(LEASE, limit=1)
    _execute(dsn, "UPDATE items SET lease_until = now() - interval '1 s'")

    with _ledger(dsn) as ledger:
        assert ledger.claim(LEASE, limit=1) == []
        failed = ledger.item(item.item_id)

    assert again.item_id == item.item_id
    assert failed is not None
    assert (failed.state, failed.code) == (ItemState.FAILED, "ingest.crashed")


def test_erasing_is_audited(dsn: str) -> None:
    with _ledger(dsn) as ledger:
        ledger.forget("v:audited", by="an")

    query = "SELECT issued_by, command, state FROM operator_commands WHERE arguments->>'video_id' = 'v:audited'"
    assert _execute(dsn, query)[-1] == ("an", "forget", "done")


def test_a_verdict_that_came_after_all_is_erased_again(dsn: str) -> None:
    with _ledger(dsn) as ledger:
        ledger.forget("v:1", by="an")
    with _history(dsn) as history:
        history.write([make_verdict("v:1")], [])

    with _ledger(dsn) as ledger:
        assert ledger.came_back() == ["v:1"]
        Eraser(ledger, MemoryMedia(), MemoryLive()).forget_again()
        assert ledger.came_back() == []

    with _history(dsn) as history:
        assert history.current("v:1") is None


def test_objects_of_items_verdicts_and_uploads_under_way_are_no_orphans(dsn: str) -> None:
    media = MemoryMedia()
    media.ensure_buckets(["clips"])
    for name in ("posted", "uploading", "scored", "lost"):
        media.put_bytes("clips", name, b"x", "video/mp4")
    with _history(dsn) as history:
        history.write([make_verdict("v:9", media_uri="s3://clips/scored")], [])

    with _ledger(dsn) as ledger:
        posted(ledger, "a:1", media_uri="s3://clips/posted")
        ledger.fetched(LEASE.owner, [content(one(ledger, "a:2"), media_uri="s3://clips/uploading")])

        assert [found.key for found in orphans(ledger, media, "clips")] == ["lost"]
