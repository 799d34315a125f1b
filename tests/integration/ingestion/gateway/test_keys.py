"""API keys: shown once, kept as hashes, scoped, ended at once; and what each may ask at a time."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from core.storage.api_keys import ApiKeys, Scope
from tests.fixtures.gateway import GatewayProcess, Start, make_key
from tests.fixtures.platform import Platform
from tests.fixtures.stores import eventually

pytestmark = pytest.mark.integration

Clip = Callable[..., bytes]
COMMAND = str(Path(sys.executable).with_name("clipwarden"))


@pytest.fixture
def keys(platform: Platform) -> ApiKeys:
    return ApiKeys(platform.settings.store)


def clipwarden(platform: Platform, *arguments: str) -> str:
    command = [COMMAND, "api-keys", *arguments]
    return subprocess.run(
        command, env={**os.environ, **platform.env}, capture_output=True, text=True, check=True
    ).stdout


def test_a_key_is_made_listed_and_revoked_on_the_command_line(platform: Platform, keys: ApiKeys) -> None:
    made = json.loads(clipwarden(platform, "make", "mobile app", "--scope", "post", "--json"))
    assert keys.check(made["key"]) is not None

    clipwarden(platform, "revoke", made["key_id"])

    listed = {key["key_id"]: key for key in json.loads(clipwarden(platform, "list", "--json"))["keys"]}
    assert listed[made["key_id"]]["revoked_at"] is not None
    assert (listed[made["key_id"]]["name"], listed[made["key_id"]]["scopes"]) == ("mobile app", ["post"])
    assert keys.check(made["key"]) is None
    assert made["key"] not in json.dumps(listed)


def test_a_key_is_kept_as_a_hash_only(platform: Platform, keys: ApiKeys) -> None:
    key, text = keys.make("a test", [Scope.READ])

    with closing(psycopg.connect(platform.settings.store.dsn.get_secret_value())) as connection:
        row = connection.execute("SELECT to_jsonb(k)::text FROM api_keys AS k WHERE key_id = %s", (key.key_id,))
        assert text.rpartition("_")[2] not in str(row.fetchone())


def test_a_revoked_key_opens_nothing_from_then_on(gateway: GatewayProcess, make_clip: Clip, keys: ApiKeys) -> None:
    text = make_key(gateway.platform)
    assert gateway.post(make_clip(), key=text).status_code == 202

    assert keys.revoke(text.split("_")[1])

    assert gateway.post(make_clip(), key=text).status_code == 401


def test_a_key_that_never_was_cannot_be_revoked(keys: ApiKeys) -> None:
    assert not keys.revoke("000000000000")


def test_over_its_rate_a_key_is_told_when_to_come_again(start_gateway: Start) -> None:
    gateway = start_gateway(KEY_REQUESTS_PER_MIN=60)

    answers = [gateway.get("/v1/videos/none") for _ in range(10)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].json()["code"] == "request.too_many"
    assert int(refused[0].headers["retry-after"]) >= 1


def test_over_its_uploads_at_once_a_key_is_refused_and_others_are_not(start_gateway: Start, make_clip: Clip) -> None:
    gateway = start_gateway(KEY_UPLOADS=1)
    with closing(gateway.half_upload(b"", length=100_000)):
        eventually(gateway.spooled)

        assert gateway.post(make_clip()).status_code == 429
        assert gateway.post(make_clip(), key=make_key(gateway.platform)).status_code == 202

    eventually(lambda: not gateway.spooled())
    assert gateway.post(make_clip()).status_code == 202
