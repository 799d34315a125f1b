"""What only the ledger in the database can promise: erasing a video from every table beside it."""

from collections.abc import Iterator

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


@pytest.fixture
def stores(database: str) -> Iterator[tuple[PostgresLedger, TimescaleHistory]]:
    empty_ledger(database)
    settings = StoreSettings(dsn=SecretStr(database), pool_max=1)
    ledger, history = PostgresLedger(settings), TimescaleHistory(settings)
    yield ledger, history
    ledger.close()
    history.close()


def _fill(ledger: PostgresLedger, history: TimescaleHistory, video_id: str, *, offset: int) -> None:
    posted(ledger, video_id, video_id=video_id, media_uri=f"s3://clips/{video_id}")
    history.write(
        [make_verdict(video_id, offset=offset, media_uri=f"s3://clips/{video_id}")],
        [make_dead_letter(offset=offset, video_id=None, key=video_id.encode(), payload_uri=f"s3://dead/{offset}")],
    )
    history.write_shadow([make_shadow(video_id)])


def _counts(dsn: str) -> dict[str, int]:
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        rows = [connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in TABLES]  # noqa: S608
        return {table: row[0] for table, row in zip(TABLES, rows, strict=True) if row}


def test_a_forgotten_video_is_in_no_table(database: str, stores: tuple[PostgresLedger, TimescaleHistory]) -> None:
    ledger, history = stores
    _fill(ledger, history, "v:1", offset=1)
    kept = _counts(database)
    _fill(ledger, history, "v:2", offset=2)
    deleted: list[str] = []

    done = ledger.forget("v:2", by="an")
    ledger.remove_doomed(deleted.append)

    assert _counts(database) == kept
    assert (done.objects, sorted(deleted)) == (2, ["s3://clips/v:2", "s3://dead/2"])


def test_an_item_that_kills_its_workers_is_given_out_no_more(
    database: str, stores: tuple[PostgresLedger, TimescaleHistory]
) -> None:
    ledger, _ = stores
    item = one(ledger)
    with psycopg.connect(database, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("UPDATE items SET deaths = 18, lease_until = now() - interval '1 s'")
        (again,) = ledger.claim(LEASE, limit=1)
        connection.execute("UPDATE items SET lease_until = now() - interval '1 s'")

    assert again.item_id == item.item_id
    assert ledger.claim(LEASE, limit=1) == []
    failed = ledger.item(item.item_id)
    assert failed is not None
    assert (failed.state, failed.code) == (ItemState.FAILED, "ingest.crashed")


def test_erasing_is_audited(database: str, stores: tuple[PostgresLedger, TimescaleHistory]) -> None:
    stores[0].forget("v:audited", by="an")

    with psycopg.connect(database, autocommit=True, prepare_threshold=None) as connection:
        query = "SELECT issued_by, command, state FROM operator_commands WHERE arguments->>'video_id' = 'v:audited'"
        assert connection.execute(query).fetchall() == [("an", "forget", "done")]


def test_a_verdict_that_came_after_all_is_erased_again(stores: tuple[PostgresLedger, TimescaleHistory]) -> None:
    ledger, history = stores
    ledger.forget("v:1", by="an")
    history.write([make_verdict("v:1")], [])
    live = MemoryLive()

    assert ledger.came_back() == ["v:1"]
    Eraser(ledger, MemoryMedia(), live).forget_again()

    assert (ledger.came_back(), history.current("v:1")) == ([], None)


def test_objects_of_items_verdicts_and_uploads_under_way_are_no_orphans(
    stores: tuple[PostgresLedger, TimescaleHistory],
) -> None:
    ledger, history = stores
    media = MemoryMedia()
    media.ensure_buckets(["clips"])
    for name in ("posted", "uploading", "scored", "lost"):
        media.put_bytes("clips", name, b"x", "video/mp4")
    posted(ledger, "a:1", media_uri="s3://clips/posted")
    item = one(ledger, "a:2")
    ledger.fetched(LEASE.owner, [content(item, media_uri="s3://clips/uploading")])
    history.write([make_verdict("v:9", media_uri="s3://clips/scored")], [])

    assert [found.key for found in orphans(ledger, media, "clips")] == ["lost"]
