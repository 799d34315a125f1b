"""Who is let in, and who is no longer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from pydantic import SecretStr
from starlette.requests import Request

from core.clock import FixedClock
from core.settings import StoreSettings
from core.settings_gateway import GatewaySettings
from core.storage.api_keys import ApiKeys
from ingestion.gateway.door import Door
from ingestion.gateway.limits import Limits

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_an_outage_of_the_database_revokes_no_key(free_port: int) -> None:
    keys = ApiKeys(StoreSettings(dsn=SecretStr(f"host=127.0.0.1 port={free_port} dbname=none")))
    key = f"Bearer cw_{'0' * 12}_{'k' * 43}"
    request = Request({"type": "http", "headers": [(b"authorization", key.encode())]})

    with ThreadPoolExecutor(1) as pool:
        door = Door(keys, Limits(GatewaySettings(), FixedClock(NOON)), pool)
        assert asyncio.run(door.still(request))


def test_a_request_without_a_key_is_let_in_no_longer() -> None:
    with ThreadPoolExecutor(1) as pool:
        door = Door(ApiKeys(StoreSettings()), Limits(GatewaySettings(), FixedClock(NOON)), pool)
        assert not asyncio.run(door.still(Request({"type": "http", "headers": []})))
