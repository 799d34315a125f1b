"""The embedded servers do what the product asks of them."""

import subprocess
import sys
import time

import psycopg
import pytest
import redis

from core.settings import process_environment
from core.topics import TOPICS
from operations.doctor import doctor
from operations.embedded.broker import partition_counts
from operations.embedded.control import status, up
from operations.state import Plan, Site
from tests.fixtures.clients import consume, get, produce, put
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.integration


def test_an_object_put_is_the_object_got(platform: Platform) -> None:
    put(platform, "clips/a.mp4", b"bytes")

    assert get(platform, "clips/a.mp4") == b"bytes"


def test_a_record_produced_is_the_record_consumed(platform: Platform) -> None:
    offset = produce(platform, b"event", partition=7)

    assert consume(platform, offset, partition=7) == b"event"


def test_topics_have_the_partitions_of_their_table(platform: Platform) -> None:
    counts = partition_counts(Site.load(platform.root))

    assert {topic.name: counts[topic.name] for topic in TOPICS} == {topic.name: topic.partitions for topic in TOPICS}


def test_the_database_is_migrated_and_wants_the_password(platform: Platform) -> None:
    dsn = platform.settings.store.dsn.get_secret_value()

    with psycopg.connect(dsn) as connection:
        assert connection.execute("select count(*) from videos").fetchone() is not None
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(dsn.replace(Site.load(platform.root).secrets.postgres, "wrong"))


def test_valkey_answers_and_wants_the_password(platform: Platform) -> None:
    url = platform.settings.redis.url.get_secret_value()

    with redis.Redis.from_url(url) as client:
        assert client.ping()
    wrong = url.replace(Site.load(platform.root).secrets.valkey, "wrong")
    with redis.Redis.from_url(wrong) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_the_environment_is_accepted_by_a_process(platform: Platform) -> None:
    code = "from core.settings import Settings; print(Settings.load().kafka.brokers)"
    env = {**process_environment(), **platform.env}

    result = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)

    assert result.stdout.strip() == platform.settings.kafka.brokers


def test_no_password_is_on_a_command_line(platform: Platform) -> None:
    secrets = Site.load(platform.root).secrets
    lines = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout

    assert "tansu broker" in lines
    assert not any(secret in lines for secret in (secrets.s3, secrets.postgres, secrets.valkey))


def test_the_supervisor_shows_its_heartbeat(platform: Platform) -> None:
    with redis.Redis.from_url(platform.settings.redis.url.get_secret_value()) as client:
        deadline_s = time.monotonic() + 10
        while not any(b"supervisor" in key for key in client.scan_iter("clipwarden:*")):
            assert time.monotonic() < deadline_s
            time.sleep(0.05)


def test_status_and_doctor_find_everything_well(platform: Platform) -> None:
    rows = {row.name: row for row in status(platform.root)}
    findings = doctor(platform.root)

    assert set(rows) == {"supervisor", "s3", "postgres", "valkey", "broker"}
    assert all(row.state == "ready" and row.pid for row in rows.values())
    assert rows["postgres"].data_bytes > 1_000_000
    assert [str(finding) for finding in findings if finding.level == "bad"] == []
    assert {"topics", "database", "broker"} <= {finding.what for finding in findings}


def test_a_second_up_is_refused_and_says_what_runs(platform: Platform) -> None:
    with pytest.raises(Exception, match=r"up already.*broker ready.*clipwarden down"):
        up(platform.root, Plan())
