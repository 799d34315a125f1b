"""Retention on both databases: what people chose wins over the setting, and nothing goes unconfirmed."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from core.errors_console import Forbidden, SettingRefused
from core.settings import StoreSettings
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from core.storage.migrate import migrate
from core.storage.periods import Kept, Periods, wanted
from core.storage.retention import Retention
from tests.fixtures.routes import LEAD, VIEWER, routing_database
from tests.fixtures.stores import NOON, make_dead_letter, make_verdict

__all__ = ["routing_database"]
pytestmark = pytest.mark.integration

DAY = 24 * 60
LATER = NOON + timedelta(days=10)


@pytest.fixture
def retention(routing_database: Database) -> Retention:
    return Retention(routing_database, default_days=90)


@pytest.fixture
def history(routing_database: Database) -> TimescaleHistory:
    """Ten days, a verdict and a dead letter on each."""
    history = TimescaleHistory(StoreSettings(dsn=SecretStr("postgresql://nobody@127.0.0.1:9/none"), retention_days=90))
    # Over the same connection: the WebAssembly server takes one at a time.
    history._database = routing_database
    verdicts = [make_verdict(f"v:{day}", offset=day, minute=day * DAY) for day in range(10)]
    history.write(verdicts, [make_dead_letter(offset=day, minute=day * DAY) for day in range(10)])
    return history


def test_who_may_not_set_policy_sees_and_changes_nothing(retention: Retention) -> None:
    for act in (
        lambda: retention.periods(VIEWER),
        lambda: retention.holdings(VIEWER),
        lambda: retention.would_delete(VIEWER, Periods.of(1), LATER),
        lambda: retention.choose(VIEWER, Periods.of(1), LATER, confirmed_rows=10**9),
    ):
        with pytest.raises(Forbidden):
            act()

    assert retention.periods(LEAD) == Periods.of(90)


def test_a_shorter_period_deletes_what_was_previewed_and_no_more(
    retention: Retention, history: TimescaleHistory
) -> None:
    chosen = Periods(verdicts=7, sightings=90, dead_letters=3)
    preview = retention.would_delete(LEAD, chosen, LATER)

    retention.choose(LEAD, chosen, LATER, confirmed_rows=sum(preview.values()))
    history.delete_expired(LATER)

    assert preview == {Kept.VERDICTS: 3, Kept.SIGHTINGS: 0, Kept.DEAD_LETTERS: 7}
    assert len(history.recent(100)) == 7
    assert len(history.dead_letters(100)) == 3


def test_more_than_was_confirmed_is_refused(retention: Retention, history: TimescaleHistory) -> None:
    with pytest.raises(SettingRefused, match="look again"):
        retention.choose(LEAD, Periods.of(7), LATER, confirmed_rows=5)

    assert retention.periods(LEAD) == Periods.of(90)


def test_a_choice_is_in_the_audit_log_with_what_was_before(retention: Retention, routing_database: Database) -> None:
    retention.choose(LEAD, Periods.of(30), LATER, confirmed_rows=0)

    with routing_database.connection() as connection:
        row = connection.execute(
            "SELECT user_id, detail->'before'->>'verdicts', detail->'to'->>'verdicts' FROM audit_log "
            "WHERE subject = 'retention' ORDER BY entry_id DESC LIMIT 1"
        ).fetchone()
    assert row == (LEAD.user_id, "90", "30")


@pytest.mark.parametrize("days", [0, -1, 3_651, "soon", None])
def test_days_out_of_bounds_are_refused(days: object) -> None:
    with pytest.raises(SettingRefused):
        wanted(verdicts=days, sightings=90, dead_letters=90)


def test_what_there_is_is_told_with_its_size_and_age(retention: Retention, history: TimescaleHistory) -> None:
    verdicts, sightings, dead_letters = retention.holdings(LEAD)

    assert (verdicts.kind, sightings.kind, dead_letters.kind) == tuple(Kept)
    assert verdicts.oldest == sightings.oldest == dead_letters.oldest == NOON
    assert all(holding.size_bytes > 0 and holding.days == 90 for holding in (verdicts, sightings, dead_letters))


@pytest.mark.timescale
def test_timescale_keeps_its_chunks_as_long_as_people_chose_also_after_a_migration(timescale_dsn: str) -> None:
    opened = Database(StoreSettings(dsn=SecretStr(timescale_dsn), pool_max=1), "retention")
    Retention(opened, default_days=90).choose(LEAD, Periods.of(30), LATER, confirmed_rows=10**9)
    opened.close()

    migrate(timescale_dsn, retention_days=90)

    again = Database(StoreSettings(dsn=SecretStr(timescale_dsn), pool_max=1), "retention")
    with again.connection() as connection:
        rows = connection.execute(
            "SELECT config->>'drop_after' FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'"
        ).fetchall()
        connection.execute("TRUNCATE platform_settings")
    again.close()
    assert {row[0] for row in rows} == {"30 days"}
    migrate(timescale_dsn)
