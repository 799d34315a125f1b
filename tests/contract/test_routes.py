"""Alert routes on both databases: who may set them, what is flagged becomes deliveries once, and how they end."""

from datetime import timedelta

import psycopg
import pytest

from core.errors_console import Forbidden, SettingRefused
from core.events import Verdict
from core.labels import Action, VerdictKind
from core.settings import StoreSettings
from core.storage.database import Database
from core.storage.deliveries import Deliveries, Parcel
from core.storage.history import TimescaleHistory
from core.storage.ledger_erase import forget
from core.storage.routes import Routes
from tests.fixtures.routes import LEAD, VIEWER, form, routing_database
from tests.fixtures.stores import make_alert, make_verdict

__all__ = ["routing_database"]
pytestmark = pytest.mark.integration


@pytest.fixture
def routes(routing_database: Database) -> Routes:
    return Routes(routing_database)


@pytest.fixture
def deliveries(routing_database: Database) -> Deliveries:
    return Deliveries(routing_database)


def write(database: Database, *verdicts: Verdict) -> None:
    history = TimescaleHistory(StoreSettings())
    # Over the same connection: the WebAssembly server takes one at a time.
    history._database = database
    history.write(verdicts, [])


def sent(deliveries: Deliveries) -> list[Parcel]:
    while deliveries.route():
        pass
    return deliveries.claim(100, lease_s=60)


def videos(parcels: list[Parcel]) -> list[str]:
    return sorted(str(parcel.facts["video_id"]) for parcel in parcels)


def gathered(database: Database, *, age_s: int = 900) -> None:
    """As if what is held back had been so for this long."""
    with database.connection() as connection:
        connection.execute("UPDATE alert_deliveries SET created_at = created_at - make_interval(secs => %s)", (age_s,))


def audited(database: Database) -> list[tuple[str, str, str]]:
    with database.connection() as connection:
        rows = connection.execute(
            "SELECT user_id, subject, detail->>'change' FROM audit_log "
            "WHERE subject LIKE 'route:%' ORDER BY entry_id DESC LIMIT 4"
        )
        return list(reversed(rows.fetchall()))


def test_who_may_not_set_policy_reads_and_changes_nothing(routes: Routes) -> None:
    for act in (
        lambda: routes.all(VIEWER),
        lambda: routes.add(VIEWER, form()),
        lambda: routes.change(VIEWER, 1, form()),
        lambda: routes.renew_secret(VIEWER, 1),
        lambda: routes.remove(VIEWER, 1),
        lambda: routes.send_test(VIEWER, 1),
        lambda: routes.revive(VIEWER, 1),
        lambda: routes.told(VIEWER, 5),
    ):
        with pytest.raises(Forbidden):
            act()

    assert routes.all(LEAD) == []


def test_a_route_is_written_changed_and_removed_and_each_step_is_audited(
    routes: Routes, routing_database: Database
) -> None:
    secret = routes.add(LEAD, form("ops"))
    (row,) = routes.all(LEAD)
    routes.change(LEAD, row.route_id, form("ops", min_score=0.7))
    changed = routes.all(LEAD)[0].form.terms.min_score
    renewed = routes.renew_secret(LEAD, row.route_id)
    routes.remove(LEAD, row.route_id)

    assert secret.startswith("whsec_")
    assert renewed != secret
    assert changed == 0.7
    assert routes.all(LEAD) == []
    assert [change for _, _, change in audited(routing_database)] == ["added", "changed", "secret renewed", "removed"]


def test_a_secret_is_in_no_answer_and_not_in_the_audit_log(routes: Routes, routing_database: Database) -> None:
    secret = routes.add(LEAD, form("ops"))

    assert secret not in repr(routes.all(LEAD))
    with routing_database.connection() as connection:
        assert secret not in str(connection.execute("SELECT detail FROM audit_log").fetchall())


def test_a_name_is_taken_once(routes: Routes) -> None:
    routes.add(LEAD, form("ops"))

    with pytest.raises(SettingRefused, match="already"):
        routes.add(LEAD, form("ops"))


def test_what_is_flagged_is_delivered_once_and_what_is_not_never(
    routes: Routes, deliveries: Deliveries, routing_database: Database
) -> None:
    routes.add(LEAD, form())

    write(routing_database, make_alert("v:1"), make_verdict("v:2", offset=1), make_alert("v:1"))
    write(routing_database, make_alert("v:1"))

    assert videos(sent(deliveries)) == ["v:1"]
    assert sent(deliveries) == []


def test_a_video_that_got_worse_is_told_again_within_its_window(
    routes: Routes, deliveries: Deliveries, routing_database: Database
) -> None:
    routes.add(LEAD, form(video_window_s=3600, author_window_s=3600))
    review = {"verdict": VerdictKind.REVIEW, "action": Action.REVIEW, "score": 0.45}

    write(routing_database, make_alert("v:1", **review))
    first = videos(sent(deliveries))
    write(routing_database, make_alert("v:1", minute=1, offset=1))
    worse = videos(sent(deliveries))
    write(routing_database, make_alert("v:1", minute=2, offset=2))

    assert (first, worse) == (["v:1"], ["v:1"])
    assert sent(deliveries) == []
    assert routes.all(LEAD)[0].held == 1


def test_what_passes_the_rate_comes_as_one_digest(
    routes: Routes, deliveries: Deliveries, routing_database: Database
) -> None:
    routes.add(LEAD, form(per_hour=2))
    write(routing_database, *(make_alert(f"v:{number}", offset=number) for number in range(5)))
    assert len(sent(deliveries)) == 2

    assert deliveries.sum_up() == 0
    gathered(routing_database)
    assert deliveries.sum_up() == 1
    assert deliveries.sum_up() == 0

    (parcel,) = sent(deliveries)
    assert parcel.kind == "digest"
    assert parcel.facts["held_back"] == 3
    assert parcel.facts["by_reason"] == {"over_rate": 3}


def test_a_route_of_digests_gets_nothing_alone_and_its_digest_at_its_own_time(
    routes: Routes, deliveries: Deliveries, routing_database: Database
) -> None:
    routes.add(LEAD, form("daily", per_hour=0, digest_s=86_400))
    write(routing_database, make_alert("v:1"), make_alert("v:2", offset=1))
    assert sent(deliveries) == []

    gathered(routing_database, age_s=86_000)
    assert deliveries.sum_up() == 0
    gathered(routing_database, age_s=400)
    assert deliveries.sum_up() == 1

    (parcel,) = sent(deliveries)
    assert (parcel.facts["held_back"], parcel.facts["by_reason"]) == (2, {"digest_only": 2})


def test_the_address_of_a_chat_is_not_in_the_audit_log_but_that_it_changed_is(
    routes: Routes, routing_database: Database
) -> None:
    routes.add(LEAD, form("chat", "https://chat.example/T0/secret-path", channel="chat"))
    (row,) = routes.all(LEAD)
    routes.change(LEAD, row.route_id, form("chat", "https://chat.example/T0/other-path", channel="chat"))

    with routing_database.connection() as connection:
        found = connection.execute(
            "SELECT detail->'before'->>'url', detail->'to'->>'url' FROM audit_log "
            "WHERE subject = 'route:chat' AND detail->>'change' = 'changed' ORDER BY entry_id DESC LIMIT 1"
        ).fetchone()
    assert found is not None
    assert all(url.startswith("https://chat.example/") and "path" not in url for url in found)
    assert found[0] != found[1]


def test_a_route_gets_only_what_its_terms_name_and_a_paused_one_nothing(
    routes: Routes, deliveries: Deliveries, routing_database: Database
) -> None:
    routes.add(LEAD, form("hate", labels={"hate"}))
    routes.add(LEAD, form("paused").model_copy(update={"is_enabled": False}))

    write(routing_database, make_alert("v:1", label="violence"), make_alert("v:2", label="hate", offset=1))

    assert videos(sent(deliveries)) == ["v:2"]


def test_without_a_route_nothing_is_kept(deliveries: Deliveries, routing_database: Database) -> None:
    write(routing_database, make_alert("v:1"))

    assert deliveries.waiting()[:2] == (0, 0)


def test_a_claim_that_ran_out_is_taken_by_the_next_and_a_later_answer_changes_nothing(
    routes: Routes, deliveries: Deliveries, routing_database: Database
) -> None:
    routes.add(LEAD, form())
    write(routing_database, make_alert("v:1"))
    deliveries.route()
    (first,) = deliveries.claim(10, lease_s=0)
    (second,) = deliveries.claim(10, lease_s=60)
    assert deliveries.claim(10, lease_s=60) == []

    deliveries.delivered(second, 200, "")
    deliveries.again(first, "late", status=500, wait_s=0)

    assert first.delivery_id == second.delivery_id
    assert (first.attempts, second.attempts) == (1, 2)
    assert deliveries.claim(10, lease_s=60) == []


def test_a_dead_delivery_keeps_its_reason_and_comes_back_when_asked(
    routes: Routes, deliveries: Deliveries, routing_database: Database
) -> None:
    routes.add(LEAD, form())
    write(routing_database, make_alert("v:1"))
    (parcel,) = sent(deliveries)
    route = routes.all(LEAD)[0]

    deliveries.dead(parcel, "answered 500: \x00<b>no</b>", status=500)
    (trouble,) = routes.told(LEAD, 5)

    assert (trouble.state, trouble.status) == ("dead", 500)
    assert "<b>no</b>" in trouble.reason
    assert routes.revive(LEAD, route.route_id) == 1
    assert [again.delivery_id for again in deliveries.claim(10, lease_s=60)] == [parcel.delivery_id]


def test_a_caption_goes_along_only_where_the_route_asks_for_it(
    routes: Routes, deliveries: Deliveries, routing_database: Database
) -> None:
    routes.add(LEAD, form("with", has_caption=True))
    routes.add(LEAD, form("without"))

    write(routing_database, make_alert("v:1", caption="xin chào"))

    assert sorted(str(parcel.caption) for parcel in sent(deliveries)) == ["None", "xin chào"]


def test_a_test_is_sent_though_the_route_is_paused(routes: Routes, deliveries: Deliveries) -> None:
    routes.add(LEAD, form().model_copy(update={"is_enabled": False}))
    (route,) = routes.all(LEAD)

    routes.send_test(LEAD, route.route_id)
    (parcel,) = deliveries.claim(10, lease_s=60)
    deliveries.delivered(parcel, 204, "thanks")
    (told,) = routes.told(LEAD, 5)

    assert (told.state, told.status, told.reason) == ("delivered", 204, "thanks")


def test_a_verdict_that_was_rolled_back_is_told_to_nobody(
    routes: Routes, deliveries: Deliveries, routing_database: Database
) -> None:
    routes.add(LEAD, form())
    write(routing_database, make_verdict("v:1"))
    with routing_database.connection() as connection, connection.transaction() as transaction:
        connection.execute("UPDATE videos SET action = 'alert', verdict = 'harmful'")
        raise psycopg.Rollback(transaction)

    assert sent(deliveries) == []


def test_ended_deliveries_are_forgotten_after_their_time(
    routes: Routes, deliveries: Deliveries, routing_database: Database
) -> None:
    routes.add(LEAD, form())
    write(routing_database, make_alert("v:1"))
    deliveries.delivered(sent(deliveries)[0], 200, "")
    with routing_database.connection() as connection:
        connection.execute("UPDATE alert_deliveries SET ended_at = ended_at - %s", (timedelta(days=31),))

    deliveries.tidy()

    assert routes.all(LEAD)[0].delivered == 0


def test_a_forgotten_video_is_in_no_delivery_and_in_no_digest(
    routes: Routes, deliveries: Deliveries, routing_database: Database
) -> None:
    routes.add(LEAD, form(per_hour=1))
    write(routing_database, make_alert("v:1"), make_alert("v:2", offset=1))
    deliveries.route()
    gathered(routing_database)
    deliveries.sum_up()
    write(routing_database, make_alert("v:2", minute=1, offset=2))

    with routing_database.transaction() as connection:
        forget(connection, "v:2", "lead:1")
        left = connection.execute("SELECT facts FROM alert_deliveries UNION ALL SELECT facts FROM flagged_videos")
        told = str(left.fetchall())

    assert "v:1" in told
    assert "v:2" not in told
