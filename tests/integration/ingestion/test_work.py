"""`python -m ingestion.work` as it runs in production: it brings in what waits, says how it is, and drains."""

import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from core.storage.items import ItemState, Lease, NewItem, Sighting
from core.storage.ledger_pg import PostgresLedger
from core.storage.live import RedisLive
from tests.fixtures.clients import get, posted
from tests.fixtures.platform import Platform
from tests.fixtures.stores import eventually

pytestmark = pytest.mark.integration

CHECKOUT = Path(__file__).parents[3]
START_S = 60.0


@pytest.fixture
def ledger(platform: Platform) -> Iterator[PostgresLedger]:
    ledger = PostgresLedger(platform.settings.store)
    yield ledger
    ledger.close()


@contextmanager
def _worker(platform: Platform, work_dir: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    own = {"CLIPWARDEN_INGESTION__HTTP_PORT": str(port), "CLIPWARDEN_INGESTION__WORK_DIR": str(work_dir)}
    worker = subprocess.Popen(
        [sys.executable, "-m", "ingestion.work"], cwd=CHECKOUT, env={**os.environ, **platform.env, **own}
    )
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait(30)


def _file(clip: Path) -> NewItem:
    name = f"test:{uuid.uuid4().hex}"
    sighting = Sighting(datetime.now(UTC), "produce")
    return NewItem(
        name, sighting, path=str(clip), host=socket.gethostname(), video_id=name, is_distinct=True, caption="hello"
    )


def test_a_worker_goes_on_where_another_was_killed_and_drains(
    platform: Platform, ledger: PostgresLedger, clips: list[Path], tmp_path: Path, free_port: int
) -> None:
    (item,) = ledger.found([_file(clips[0])], lease=Lease("work:killed", 0.1))

    with _worker(platform, tmp_path, free_port) as worker:
        eventually(lambda: (known := ledger.item(item.item_id)) and known.state is ItemState.POSTED, within_s=START_S)
        eventually(lambda: posted(platform, item.item_key), within_s=30)
        ready = eventually(lambda: httpx.get(f"http://127.0.0.1:{free_port}/readyz"))
        eventually(
            lambda: 'ingestion_items{code="",source="produce",state="posted"}' in _metrics(free_port), within_s=20
        )
        beats = eventually(lambda: _beats(platform))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(40) == 0

    assert ready.status_code == 200, ready.text
    assert beats[0].detail == ""
    (event,) = posted(platform, item.item_key)
    assert event.media is not None
    assert get(platform, event.media[1]) == clips[0].read_bytes()
    assert list(tmp_path.iterdir()) == []


def _metrics(port: int) -> str:
    return httpx.get(f"http://127.0.0.1:{port}/metrics").text


def _beats(platform: Platform) -> list[object]:
    live = RedisLive(platform.settings.redis)
    try:
        return [beat for beat in live.snapshot().heartbeats if beat.kind == "ingestion"]
    finally:
        live.close()


def test_a_wrong_setting_is_one_line_and_no_start(platform: Platform) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "ingestion.work"],
        cwd=CHECKOUT,
        env={**os.environ, **platform.env, "CLIPWARDEN_INGESTION__LEASE_S": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 2
    assert "CLIPWARDEN_INGESTION__LEASE_S" in ended.stderr.splitlines()[-1]
