"""clipwarden download as a person gives it: a list of links, the ledger, and what comes out of it on the topic."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.storage.items import ItemState
from core.storage.ledger_pg import PostgresLedger
from tests.fixtures.clients import posted
from tests.fixtures.ledger import empty_ledger, new_item
from tests.fixtures.platform import Platform
from tests.fixtures.site import Site
from tests.fixtures.stores import eventually

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-c", "from operations.cli import main; main()", "download", "--json")


@pytest.fixture
def ledger(platform: Platform) -> Iterator[PostgresLedger]:
    empty_ledger(platform.settings.store.dsn.get_secret_value())
    ledger = PostgresLedger(platform.settings.store)
    yield ledger
    ledger.close()


def start(platform: Platform, site: Site, work_dir: Path, *arguments: str) -> "subprocess.Popen[str]":
    own = {"ALLOW": site.address, "WORK_DIR": str(work_dir), "RETRY_S": "3000", "DOWNLOAD_MEMORY_BYTES": "600000000"}
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env={**os.environ, **platform.env, **{f"CLIPWARDEN_INGESTION__{name}": value for name, value in own.items()}},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_list_of_links_becomes_events_and_reasons(
    platform: Platform, site: Site, ledger: PostgresLedger, tmp_path: Path
) -> None:
    links = tmp_path / "links.csv"
    pages = ("watch", "clip.mp4", "status/404", "text", "status/503")
    rows = [f"meo,{site.link(page)},,harmful" for page in pages]
    links.write_text("\n".join(["hashtag,link,description,label", *rows, "meo,ftp://a.example/1,,safe"]))

    process = start(platform, site, tmp_path / "work", "--csv", str(links))
    out, err = process.communicate(timeout=90)

    assert process.returncode == 1, err
    assert json.loads(out) == {"done": {"posted": 1, "repeated": 1, "refused": 2}, "waiting": 1, "unread_lines": 1}
    codes = {item.link: item.code for item in ledger.items(10) if item.code and item.state != ItemState.REPEATED}
    assert codes == {
        site.link("status/404"): "ingest.gone",
        site.link("text"): "ingest.type",
        site.link("status/503"): "ingest.server",
    }
    (done,) = ledger.items(10, state=ItemState.POSTED)
    (event,) = posted(platform, done.video_id or "")
    assert "harmful" not in event.to_bytes().decode()


def test_ctrl_c_gives_back_what_was_not_done_and_the_next_run_goes_on(
    platform: Platform, site: Site, ledger: PostgresLedger, tmp_path: Path
) -> None:
    (item,) = ledger.found([new_item("link:later", link=site.link("later"))])
    process = start(platform, site, tmp_path)
    eventually(lambda: "/later" in site.requests)

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    left = ledger.item(item.item_id)
    assert process.returncode == 130
    assert left is not None
    assert (left.state, left.attempts, left.lease_owner) == (ItemState.FOUND, 0, None)
    again = start(platform, site, tmp_path)
    out, err = again.communicate(timeout=90)
    assert (again.returncode, json.loads(out)["done"]) == (0, {"posted": 1}), err
