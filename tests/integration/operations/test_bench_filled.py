"""The filled database holds rows as the writer stores them, and is never one of the platform's own."""

import psycopg
import pytest
from pydantic import SecretStr

from core.errors import ConfigError
from core.settings import StoreSettings
from core.storage.history import TimescaleHistory
from operations.bench.filled import NAME, Filling, fill
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.integration

FILLING = Filling(300, 20)


def count(dsn: str, table: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(psycopg.sql.SQL("SELECT count(*) FROM {}").format(psycopg.sql.Identifier(table)))
        return int(row.fetchone()[0])  # type: ignore[index]


@pytest.fixture(scope="module")
def filled(platform: Platform) -> str:
    return fill(platform.settings.store.dsn.get_secret_value(), FILLING, name=f"{NAME}_test")


def test_what_is_filled_reads_as_what_the_writer_stored(filled: str) -> None:
    history = TimescaleHistory(StoreSettings(dsn=SecretStr(filled)))
    newest = history.recent(300)
    again = history.write(newest, [])
    history.close()

    assert (len(newest), count(filled, "review_decisions")) == (300, 20)
    assert len({verdict.author_id for verdict in newest}) > 20
    assert not again.facts


def test_a_filling_that_was_cut_short_is_completed(platform: Platform) -> None:
    server = platform.settings.store.dsn.get_secret_value()
    dsn = fill(server, Filling(300, 0), name=f"{NAME}_short")
    with psycopg.connect(dsn) as connection:
        connection.execute("TRUNCATE bench_blocks, videos, verdicts, contents, sightings")

    for _ in range(2):
        assert fill(server, Filling(300, 0), name=f"{NAME}_short") == dsn

        assert count(dsn, "videos") == 300


def test_no_database_of_the_platform_can_be_filled(platform: Platform) -> None:
    with pytest.raises(ConfigError):
        fill(platform.settings.store.dsn.get_secret_value(), FILLING, name="clipwarden")
