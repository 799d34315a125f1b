"""Events leave the outbox exactly once, whatever happens to who sends them."""

import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import DeliveryFailed
from core.settings import KafkaSettings, StoreSettings
from core.storage.ledger_pg import PostgresLedger
from core.topics import VIDEO_POSTED
from ingestion.relay import Relay
from tests.fixtures.clients import records
from tests.fixtures.ledger import posted
from tests.fixtures.platform import Platform
from tests.fixtures.stores import eventually, new_database

pytestmark = pytest.mark.integration

CHECKOUT = Path(__file__).parents[3]
BRIEF_S = 1.5


@pytest.fixture(scope="module")
def store(platform: Platform) -> StoreSettings:
    """Nobody else's: a gateway relays what it finds in its outbox."""
    return StoreSettings(dsn=SecretStr(new_database(platform, "relays")))


@pytest.fixture
def ledger(store: StoreSettings) -> Iterator[PostgresLedger]:
    ledger = PostgresLedger(store)
    yield ledger
    ledger.close()


@pytest.fixture
def relay(platform: Platform, ledger: PostgresLedger) -> Relay:
    return _relay(ledger, platform.settings.kafka)


def _relay(ledger: PostgresLedger, kafka: KafkaSettings) -> Relay:
    return Relay(ledger, kafka.model_copy(update={"request_timeout_s": BRIEF_S}), owner=f"relay:{uuid.uuid4().hex}")


def _post(ledger: PostgresLedger, count: int) -> list[str]:
    names = [f"test:{uuid.uuid4().hex}" for _ in range(count)]
    return [posted(ledger, name, video_id=name).item_key for name in names]


def _each_once(platform: Platform, video_ids: list[str]) -> bool:
    found = Counter(key for key, _ in records(platform, VIDEO_POSTED.name))
    return {video_id: found[video_id.encode()] for video_id in video_ids} == dict.fromkeys(video_ids, 1)


def test_events_reach_the_topic_and_are_noted(platform: Platform, ledger: PostgresLedger, relay: Relay) -> None:
    items = _post(ledger, 20)

    assert relay.drain() == 20

    assert _each_once(platform, items)
    assert ledger.waiting_events().events == 0


@pytest.mark.parametrize("where", ["before-the-note", "before-sending"])
def test_a_relay_that_is_killed_neither_loses_nor_doubles(
    platform: Platform, store: StoreSettings, ledger: PostgresLedger, relay: Relay, where: str
) -> None:
    _post(ledger, 3)
    relay.drain()
    items = _post(ledger, 20)
    changed = {
        "CLIPWARDEN_STORE__DSN": store.dsn.get_secret_value(),
        "CLIPWARDEN_KAFKA__REQUEST_TIMEOUT_S": str(BRIEF_S),
    }
    killed = subprocess.run(
        [sys.executable, "-m", "tests.fixtures.killed_relay", where],
        cwd=CHECKOUT,
        env={**os.environ, **platform.env, **changed},
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL

    eventually(lambda: relay.drain() and ledger.waiting_events().events == 0, within_s=20)

    assert _each_once(platform, items)


def test_what_the_broker_did_not_confirm_is_sent_by_the_next(
    platform: Platform, ledger: PostgresLedger, relay: Relay, free_port: int
) -> None:
    items = _post(ledger, 5)
    nowhere = _relay(ledger, KafkaSettings(brokers=f"127.0.0.1:{free_port}"))

    with pytest.raises(DeliveryFailed):
        nowhere.turn()
    eventually(lambda: relay.drain() and ledger.waiting_events().events == 0, within_s=20)

    assert _each_once(platform, items)


def test_relays_beside_each_other_send_nothing_twice(platform: Platform, ledger: PostgresLedger) -> None:
    items = _post(ledger, 200)
    relays = [Relay(ledger, platform.settings.kafka, owner=f"relay:{number}") for number in range(3)]

    with ThreadPoolExecutor(3) as pool:
        sent = list(pool.map(Relay.drain, relays))

    assert sum(sent) == 200
    assert _each_once(platform, items)
