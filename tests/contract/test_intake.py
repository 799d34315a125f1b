"""What the console reads of the ledger and does to it, of each kind: only who may, and it is written down."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from core.access import Person, Role
from core.errors import StoreUnavailable
from core.errors_console import Forbidden
from core.settings import StoreSettings
from core.storage.audit_log import Act, AuditLog
from core.storage.database import Database
from core.storage.items import Failure, ItemCount, ItemState
from core.storage.ledger import Ledger
from core.storage.ledger_memory import MemoryLedger
from core.storage.ledger_pg import PostgresLedger
from dashboard.data.intake import AuditedIntake, Intake
from tests.fixtures.intake import MemoryIntake
from tests.fixtures.ledger import LEASE, empty_ledger, one, posted
from tests.fixtures.stores import empty_tables

ENGINEER = Person("en", "Em", Role.ENGINEER)
ADMIN = Person("ad", "Ad", Role.ADMIN)
LEAD = Person("le", "L\u00ea", Role.LEAD)


@dataclass
class Desk:
    """The console's hands on a ledger; the log where there is one."""

    intake: Intake
    ledger: Ledger
    log: AuditLog | MemoryIntake

    def acts(self) -> list[tuple[str, Act, str]]:
        if isinstance(self.log, MemoryIntake):
            return self.log.acts
        return [(row.user_id, row.act, row.subject) for row in reversed(self.log.newest(ADMIN, 50))]


@pytest.fixture(
    params=[
        "memory",
        pytest.param("postgres", marks=pytest.mark.integration),
        pytest.param("timescale", marks=[pytest.mark.integration, pytest.mark.timescale]),
    ]
)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """An empty ledger of each kind."""
    if request.param == "memory":
        ledger = MemoryLedger()
        twin = MemoryIntake(ledger)
        yield Desk(twin, ledger, twin)
        return
    dsn: str = request.getfixturevalue(f"{request.param}_dsn")
    empty_tables(dsn)
    empty_ledger(dsn)
    stored = PostgresLedger(StoreSettings(dsn=SecretStr(dsn), pool_max=1))
    # Over the ledger's own connection: the compiled TimescaleDB takes one at a time.
    yield Desk(AuditedIntake(stored._database), stored, AuditLog(stored._database))
    stored.close()


def refuse(desk: Desk, key: str, code: str, **changes: object) -> None:
    desk.ledger.refused(LEASE.owner, one(desk.ledger, key, **changes).item_id, Failure(code, "why"))


def test_who_may_not_see_the_platform_reads_nothing_and_who_may_not_operate_changes_nothing(desk: Desk) -> None:
    refuse(desk, "a", "media.gone")
    looks = (
        desk.intake.pulse,
        desk.intake.counts,
        lambda who: desk.intake.troubled(who, ["crawl"], 5),
    )
    acts = (
        lambda who: desk.intake.pause(who, "crawl"),
        lambda who: desk.intake.resume(who, "crawl"),
        desk.intake.retry,
    )

    for call in (*looks, *acts):
        with pytest.raises(Forbidden):
            call(LEAD)

    assert desk.acts() == []
    assert desk.ledger.paused() == frozenset()
    assert desk.ledger.counts()[0].state is ItemState.REFUSED


def test_what_changed_something_is_written_down_once_with_who_did_it(desk: Desk) -> None:
    refuse(desk, "a", "media.gone")

    for _ in range(2):
        desk.intake.pause(ENGINEER, "crawl")
    assert desk.intake.pulse(ENGINEER).paused == {"crawl"}
    for _ in range(2):
        desk.intake.resume(ADMIN, "crawl")
    tried = [desk.intake.retry(ENGINEER, code="media.gone") for _ in range(2)]

    assert tried == [1, 0]
    assert desk.acts() == [("en", Act.PAUSED, "crawl"), ("ad", Act.RESUMED, "crawl"), ("en", Act.RETRIED, "media.gone")]
    assert not desk.ledger.paused()


def test_retry_keeps_to_the_source_it_was_asked_for(desk: Desk) -> None:
    refuse(desk, "a", "media.gone")
    refuse(desk, "b", "media.gone", source="gateway")

    assert desk.intake.retry(ENGINEER, source="gateway") == 1

    assert sorted(desk.intake.counts(ENGINEER), key=lambda row: row.source) == [
        ItemCount("crawl", ItemState.REFUSED, "media.gone", 1),
        ItemCount("gateway", ItemState.FOUND, None, 1),
    ]


def test_the_pulse_tells_bytes_what_waits_and_what_is_unsent(desk: Desk) -> None:
    posted(desk.ledger, size_bytes=1_000)
    open_item = one(desk.ledger, "b")

    pulse = desk.intake.pulse(ENGINEER)

    assert (pulse.stored_bytes, pulse.unsent) == (1_000, 1)
    assert pulse.oldest_waiting == open_item.found_at


def test_the_last_that_ended_badly_come_first_and_only_of_those_sources(desk: Desk) -> None:
    for key, source in (("a", "crawl"), ("b", "gateway"), ("c", "crawl")):
        refuse(desk, key, "media.gone", source=source)

    assert [item.item_key for item in desk.intake.troubled(ENGINEER, ["crawl"], 5)] == ["c", "a"]
    assert [item.item_key for item in desk.intake.troubled(ENGINEER, ["crawl", "gateway"], 1)] == ["c"]


def test_a_database_that_is_away_says_so() -> None:
    nowhere = Database(StoreSettings(dsn=SecretStr("postgresql://nobody@127.0.0.1:9/none")), "nowhere")

    with pytest.raises(StoreUnavailable):
        AuditedIntake(nowhere).pause(ENGINEER, "crawl")
    nowhere.close()
