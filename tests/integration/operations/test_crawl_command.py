"""clipwarden crawl as a person gives it: a real Chromium, the gate, the ledger in PostgreSQL."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from core.settings import StoreSettings
from core.storage.ledger_pg import PostgresLedger
from tests.fixtures.hashtags import HashtagSite
from tests.fixtures.ledger import empty_ledger
from tests.fixtures.platform import Platform

pytestmark = [pytest.mark.integration, pytest.mark.browser]

COMMAND = (sys.executable, "-c", "from operations.cli import main; main()", "crawl")


@pytest.fixture
def ledger(postgres_dsn: str) -> Iterator[PostgresLedger]:
    empty_ledger(postgres_dsn)
    ledger = PostgresLedger(StoreSettings(dsn=SecretStr(postgres_dsn)))
    yield ledger
    ledger.close()


class Site:
    """The command, pointed at the site and the ledger."""

    def __init__(self, hashtags: HashtagSite, platform: Platform, dsn: str) -> None:
        self.hashtags = hashtags
        self._address = f"127.0.0.1:{hashtags.port}"
        self._env = {
            **os.environ,
            "CLIPWARDEN_KAFKA__BROKERS": platform.settings.kafka.brokers,
            "CLIPWARDEN_STORE__DSN": dsn,
            "CLIPWARDEN_INGESTION__ALLOW": self._address,
            "CLIPWARDEN_INGESTION__CRAWL_DRY_S": "3",
            "CLIPWARDEN_INGESTION__CRAWL_PAUSE_S": "0",
            "CLIPWARDEN_INGESTION__CRAWL_ATTEMPTS": "1",
        }

    def crawl(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        process = self.start(*arguments, **env)
        out, err = process.communicate(timeout=100)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def start(self, *arguments: str, **env: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*COMMAND, *arguments, "--site", f"http://{self._address}"],
            env={**self._env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def site(hashtags: HashtagSite, platform: Platform, postgres_dsn: str) -> Site:
    return Site(hashtags, platform, postgres_dsn)


def test_hashtags_become_items_and_a_second_crawl_only_sees_them_again(site: Site, ledger: PostgresLedger) -> None:
    arguments = ("--hashtag", "cats", "--hashtag", "#dry", "--max", "10", "--json")

    first, second = site.crawl(*arguments), site.crawl(*arguments)

    assert first.returncode == 0, first.stderr
    assert [(row["hashtag"], row["videos"], row["ending"]) for row in json.loads(first.stdout)["hashtags"]] == [
        ("cats", 10, "enough"),
        ("dry", 6, "dry"),
    ]
    assert second.returncode == 0, second.stderr
    items = ledger.items(100)
    assert {item.item_key for item in items} == {f"tiktok:73{number:017d}" for number in range(10)}
    assert {item.state.value for item in items} == {"found"}
    assert sorted(len(ledger.sightings(item.item_id)) for item in items) == [2] * 4 + [4] * 6


def test_a_wall_is_reported_with_its_code_and_fails_the_command(site: Site, ledger: PostgresLedger) -> None:
    result = site.crawl("--hashtag", "strict", "--json")

    (row,) = json.loads(result.stdout)["hashtags"]
    assert result.returncode == 1
    assert (row["code"], row["videos"], row["ending"]) == ("ingest.rate_limited", 6, "wall")
    assert "#strict: 6 videos, wall: ingest.rate_limited" in result.stderr
    assert len(ledger.items(100)) == 6


def test_a_stop_while_it_waits_for_a_page_ends_the_browser_too(site: Site, ledger: PostgresLedger) -> None:
    process = site.start("--hashtag", "stalls", "--every", "1h")
    deadline_s = time.monotonic() + 60
    while not site.hashtags.asked:
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    family = psutil.Process(process.pid).children(recursive=True)

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)

    assert process.returncode == 130
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not [left for left in alive if left.is_running() and left.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--hashtag", "../login"), "is no hashtag"),
        (("--hashtag", "cats", "--every", "10s"), "give minutes, hours or days"),
    ],
)
def test_wrong_usage_is_one_line_and_asks_nobody(
    site: Site, ledger: PostgresLedger, arguments: tuple[str, ...], message: str
) -> None:
    result = site.crawl(*arguments)

    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not site.hashtags.asked


def test_cookies_that_others_can_read_are_refused_before_anything_is_asked(
    site: Site, ledger: PostgresLedger, tmp_path: Path
) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text(".tiktok.com\tTRUE\t/\tTRUE\t0\tsessionid\tmade-up\n")
    cookies.chmod(0o644)

    result = site.crawl("--hashtag", "cats", CLIPWARDEN_INGESTION__COOKIES_FILE=str(cookies))

    assert result.returncode == 2
    assert "chmod 600" in result.stderr
    assert "made-up" not in result.stderr
    assert not site.hashtags.asked
