"""`clipwarden forget` and what the doctor says of ingestion, on the real stores."""

import json
import uuid
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from core.storage.history import TimescaleHistory
from core.storage.ledger_pg import PostgresLedger
from core.storage.live import RedisLive
from core.storage.media import S3Media
from operations import doctor_ingestion as module
from operations.commands import forget as command
from operations.doctor_ingestion import delete_orphans, examine_ingestion
from operations.findings import Finding
from tests.fixtures.ledger import posted
from tests.fixtures.platform import Platform
from tests.fixtures.stores import NOON, make_alert

pytestmark = pytest.mark.integration


@pytest.fixture
def ledger(platform: Platform) -> Iterator[PostgresLedger]:
    ledger = PostgresLedger(platform.settings.store)
    yield ledger
    ledger.close()


def _findings(platform: Platform) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine_ingestion(platform.settings)}


def test_a_forgotten_video_is_nowhere(
    platform: Platform, ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, name = platform.settings, f"test:{uuid.uuid4().hex}"
    media, history, live = S3Media(settings.media), TimescaleHistory(settings.store), RedisLive(settings.redis)
    media.put_bytes(settings.media.bucket, name, b"x", "video/mp4")
    uri = f"s3://{settings.media.bucket}/{name}"
    item, alert = posted(ledger, name, video_id=name, media_uri=uri), make_alert(name, media_uri=uri)
    history.write([alert], [])
    live.publish([alert], current=frozenset({name}), now=NOON)
    monkeypatch.setattr(command, "load_settings", lambda: settings)

    answer = CliRunner().invoke(command.app, [name, "--by", "an", "--json"])

    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout.splitlines()[-1])["objects"] == 1
    assert ledger.item(item.item_id) is None
    assert media.size_bytes(settings.media.bucket, name) is None
    assert history.current(name) is None
    assert name not in {verdict.video_id for verdict in live.snapshot().verdicts}
    for store in (history, live):
        store.close()


def test_an_object_that_nothing_knows_is_found_and_deleted(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    media, bucket = S3Media(platform.settings.media), platform.settings.media.bucket
    name = f"lost/{uuid.uuid4().hex}"
    media.put_bytes(bucket, name, b"x", "video/mp4")
    # Just put: it may be named in an event any moment.
    before = _findings(platform)["objects"]
    monkeypatch.setattr(module, "ORPHAN_AGE", -module.ORPHAN_AGE)

    found = _findings(platform)["objects"]

    assert name not in before.why
    assert found.level == "warn"
    assert "--delete-orphans" in found.advice
    assert delete_orphans(platform.settings) >= 1
    assert media.size_bytes(bucket, name) is None


def test_events_that_wait_are_found(
    platform: Platform, ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted(ledger, f"test:{uuid.uuid4().hex}")
    monkeypatch.setattr(module, "EVENT_WAITS", -module.EVENT_WAITS)

    found = _findings(platform)["outbox"]

    assert found.level == "warn"
    assert "events wait for the topic" in found.why


def test_a_database_that_is_away_is_one_finding(platform: Platform) -> None:
    away = platform.settings.store.model_copy(
        update={"dsn": type(platform.settings.store.dsn)("host=127.0.0.1 port=1")}
    )

    (found,) = examine_ingestion(platform.settings.model_copy(update={"store": away}))

    assert (found.level, found.what) == ("bad", "ingestion")
