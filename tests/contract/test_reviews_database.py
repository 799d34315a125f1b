"""Decisions in the database alone: audited, append-only, learnt from, and gone with a video that is forgotten."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from pydantic import SecretStr

from core.access import Person, Role
from core.settings import StoreSettings
from core.storage.audit_log import Act, AuditLog
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from core.storage.ledger_pg import PostgresLedger
from core.storage.reviews import Answer, DecisionForm, Reason, Reviews
from operations.retraining.session import alone
from tests.fixtures.stores import empty_tables, make_alert

pytestmark = pytest.mark.integration

AN = Person("an", "An", Role.MODERATOR)
LEAD = Person("le", "Lê", Role.LEAD)
VERDICT = make_alert("v:1", caption="a caption")


def form(name: str = "t", said: Answer = Answer.CONFIRM) -> DecisionForm:
    return DecisionForm("v:1", VERDICT.verdict_id, {"violence": said, "hate": Answer.REJECT}, Reason.CLEAR, name)


@pytest.fixture
def settings(database: str) -> StoreSettings:
    """A database of each kind that holds one verdict."""
    settings = StoreSettings(dsn=SecretStr(database), pool_max=1)
    history = TimescaleHistory(settings)
    history.write([VERDICT], [])
    history.close()
    return settings


@pytest.fixture
def store(settings: StoreSettings) -> Iterator[Database]:
    database = Database(settings, "reviews")
    yield database
    database.close()


def test_each_decision_and_each_undoing_is_audited_once(store: Database) -> None:
    reviews = Reviews(store)
    for _ in range(2):
        made = reviews.decide(AN, form())
    for _ in range(2):
        reviews.undo(AN, made.decision_id)

    undone, decided = AuditLog(store).newest(LEAD, 10, subject="v:1")

    assert (undone.act, decided.act) == (Act.UNDID, Act.DECIDED)
    assert decided.detail["answers"] == {"violence": "confirm", "hate": "reject"}
    assert {decided.detail["decision_id"], undone.detail["decision_id"]} == {made.decision_id}


def test_a_form_that_arrives_many_times_at_once_is_one_row(platform_database: Database) -> None:
    reviews = Reviews(platform_database)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: reviews.decide(AN, form()).decision_id, range(16)))

    assert len(set(made)) == 1
    assert len(AuditLog(platform_database).newest(LEAD, 50, subject="v:1")) == 1


@pytest.fixture
def platform_database(postgres_dsn: str) -> Iterator[Database]:
    """Several connections, which the twin of TimescaleDB does not have."""
    empty_tables(postgres_dsn)
    settings = StoreSettings(dsn=SecretStr(postgres_dsn))
    history = TimescaleHistory(settings)
    history.write([VERDICT], [])
    history.close()
    database = Database(settings, "reviews")
    yield database
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE review_decisions SET decision = 'reject'",
        "UPDATE review_decisions SET undone_at = now(), note = 'x'",
        "DELETE FROM review_decisions",
        "TRUNCATE review_decisions",
    ],
)
def test_a_decision_is_never_changed(store: Database, database: str, statement: str) -> None:
    Reviews(store).decide(AN, form())
    store.close()

    with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_an_undone_decision_is_never_done_again(store: Database, database: str) -> None:
    reviews = Reviews(store)
    reviews.undo(AN, reviews.decide(AN, form()).decision_id)
    store.close()

    with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("UPDATE review_decisions SET undone_at = NULL")


def test_a_forgotten_video_takes_its_decisions_along(platform_database: Database, postgres_dsn: str) -> None:
    Reviews(platform_database).decide(AN, form())
    ledger = PostgresLedger(StoreSettings(dsn=SecretStr(postgres_dsn)))

    ledger.forget("v:1", "test")

    assert Reviews(platform_database).of_video(AN, "v:1") == []
    ledger.close()


@pytest.mark.parametrize(
    ("said", "word", "labels"), [(Answer.CONFIRM, "confirm", ["violence"]), (Answer.REJECT, "reject", [])]
)
def test_retraining_reads_what_was_decided(
    platform_database: Database, postgres_dsn: str, said: Answer, word: str, labels: list[str]
) -> None:
    Reviews(platform_database).decide(AN, form(said=said))

    with alone(StoreSettings(dsn=SecretStr(postgres_dsn))) as session:
        assert session is not None
        (read,) = session.decisions()

    assert (read.decision, read.labels, read.caption) == (word, labels, "a caption")
