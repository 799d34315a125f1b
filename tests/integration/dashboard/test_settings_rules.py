"""The tabs of alert routing and retention over a real database: what a lead does, and what nobody else may."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from core.access import Person, Role
from core.clock import FixedClock
from core.errors_console import SettingRefused
from core.settings import StoreSettings
from core.storage.database import Database
from core.storage.deliveries import Deliveries
from core.storage.history import TimescaleHistory
from core.storage.periods import Periods
from core.storage.ports import Heartbeat
from core.storage.retention import Retention
from core.storage.routes import Routes
from dashboard.retention_choice import COUNT_HOLDS
from tests.fixtures.console import Console, console, shown
from tests.fixtures.routes import LEAD, empty_routes, form
from tests.fixtures.stores import NOON, empty_tables, make_alert, make_verdict
from tests.fixtures.views import open_retention, open_routing, open_settings

__all__ = ["console"]
pytestmark = pytest.mark.integration

HOSTILE = "<script>window.pwned=1</script>[x](javascript:1)"


class Rules:
    """The database behind the tabs."""

    def __init__(self, store: StoreSettings) -> None:
        self.database = Database(store, "rules")
        self.routes = Routes(self.database)
        self.deliveries = Deliveries(self.database)
        self.history = TimescaleHistory(store)


@pytest.fixture
def rules(postgres_dsn: str, console: Console, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rules]:
    empty_tables(postgres_dsn)
    empty_routes(postgres_dsn)
    store = StoreSettings(dsn=SecretStr(postgres_dsn))
    console.settings = console.settings.model_copy(update={"store": store})
    console.role = Role.LEAD
    found = Rules(store)
    yield found
    found.database.close()
    found.history.close()
    empty_routes(postgres_dsn)


def test_without_a_route_it_says_what_one_is(console: Console, rules: Rules) -> None:
    assert "No route yet" in shown(open_routing(console))


def test_a_new_route_is_saved_and_its_secret_shown_until_it_is_stored(console: Console, rules: Rules) -> None:
    page = open_routing(console)
    page.text_input[0].input("ops")
    page.text_input[1].input("https://a.example/hook")
    page.button[0].click().run()

    (secret,) = [code.value for code in page.code]
    assert secret.startswith("whsec_")
    assert rules.routes.all(LEAD)[0].form.name == "ops"

    next(button for button in page.button if button.label == "I have stored it").click().run()
    assert not page.code
    assert secret not in shown(page)


def test_an_address_that_cannot_be_is_said_and_nothing_is_saved(console: Console, rules: Rules) -> None:
    page = open_routing(console)
    page.text_input[0].input("ops")
    page.text_input[1].input("ftp://a.example")
    page.button[0].click().run()

    assert "must start with http" in shown(page)
    assert rules.routes.all(LEAD) == []


def test_a_test_is_asked_for_and_its_answer_is_text(console: Console, rules: Rules) -> None:
    rules.routes.add(LEAD, form())
    page = open_routing(console)
    key = rules.routes.all(LEAD)[0].route_id
    page.button(key=f"test-{key}").click().run()
    assert "on its way" in shown(page)

    (parcel,) = rules.deliveries.claim(1, lease_s=60)
    rules.deliveries.delivered(parcel, 200, HOSTILE)
    told = shown(console.redraw(page))

    assert "the receiver answered 200" in told
    assert "<script>" not in told
    assert "&lt;script&gt;" in told


def test_why_a_delivery_is_dead_stands_with_it_and_it_can_be_sent_again(console: Console, rules: Rules) -> None:
    rules.routes.add(LEAD, form())
    rules.history.write([make_alert("v:1")], [])
    rules.deliveries.route()
    (parcel,) = rules.deliveries.claim(1, lease_s=60)
    rules.deliveries.dead(parcel, f"answered 500: {HOSTILE}", status=500)

    page = open_routing(console)
    assert "answered 500: &lt;script&gt;" in shown(page)
    page.button(key=f"revive-{parcel.route_id}").click().run()

    assert len(rules.deliveries.claim(1, lease_s=60)) == 1


def test_a_route_goes_only_once_its_name_was_typed(console: Console, rules: Rules) -> None:
    rules.routes.add(LEAD, form("ops"))
    page = open_routing(console)
    key = rules.routes.all(LEAD)[0].route_id
    assert page.button(key=f"remove-{key}").disabled

    page.text_input(key=f"confirm-{key}").input("ops").run()
    page.button(key=f"remove-{key}").click().run()

    assert rules.routes.all(LEAD) == []


def test_routes_without_a_router_say_what_to_start(console: Console, rules: Rules) -> None:
    rules.routes.add(LEAD, form())
    assert "No router is running." in shown(open_routing(console))

    console.live.beat(Heartbeat("router", "1", "ready", "0.1.0", NOON))

    assert "No router is running." not in shown(open_routing(console))


def test_a_database_that_is_away_is_an_outage_and_not_an_empty_list(console: Console, rules: Rules) -> None:
    gone = StoreSettings(dsn=SecretStr("postgresql://nobody@127.0.0.1:9/none"))
    console.settings = console.settings.model_copy(update={"store": gone})

    for page in (open_routing(console), open_retention(console)):
        assert "The database does not answer since 12:00:00." in shown(page)
        assert "No route yet" not in shown(page)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MODERATOR, Role.ENGINEER])
def test_who_may_not_set_policy_is_offered_neither(console: Console, rules: Rules, role: Role) -> None:
    rules.routes.add(LEAD, form("ops", "https://secret.example/hook"))
    console.role = role

    for tab in ("alert-routing", "retention"):
        page = open_settings(console, tab)
        assert not {"Alert routing", "Retention"} & {
            option.content for option in page.get("button_group")[0].proto.options
        }
        assert "secret.example" not in shown(page)


def test_a_shorter_period_is_previewed_confirmed_by_its_count_and_then_holds(console: Console, rules: Rules) -> None:
    console.clock = FixedClock(NOON.replace(day=20))
    rules.history.write([make_verdict("v:1")], [])
    page = open_retention(console)
    page.number_input(key="days-verdicts").set_value(7).run()

    assert "1 rows would be deleted for good." in shown(page)
    assert page.button(key="choose-retention").disabled
    page.text_input(key="confirm-retention").input("1").run()
    page.button(key="choose-retention").click().run()

    chosen = Retention(rules.database, default_days=90).periods(LEAD)
    assert chosen == Periods(verdicts=7, sightings=90, dead_letters=90)


def test_on_a_live_stream_the_number_stays_while_it_is_typed(console: Console, rules: Rules) -> None:
    console.clock = FixedClock(NOON.replace(day=8, minute=1))
    rules.history.write([make_verdict("v:1"), make_verdict("v:2", offset=1, minute=5)], [])
    page = open_retention(console)
    page.number_input(key="days-verdicts").set_value(7).run()
    assert "1 rows would be deleted for good." in shown(page)

    # The second is older than a week by now.
    console.clock.at = NOON.replace(day=8, minute=7)
    page.text_input(key="confirm-retention").input("1").run()
    page.button(key="choose-retention").click().run()

    assert Retention(rules.database, default_days=90).periods(LEAD).verdicts == 7


def test_a_count_that_is_old_is_made_again(console: Console, rules: Rules) -> None:
    console.clock = FixedClock(NOON.replace(day=8))
    rules.history.write([make_verdict("v:1", minute=1)], [])
    page = open_retention(console)
    page.number_input(key="days-verdicts").set_value(7).run()
    assert "This deletes nothing that is there now." in shown(page)

    console.clock.at += COUNT_HOLDS * 2
    page.run()

    assert "1 rows would be deleted for good." in shown(page)


def test_a_refusal_in_more_stays_to_be_read(console: Console, rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    rules.routes.add(LEAD, form("ops"))
    page = open_routing(console)
    key = rules.routes.all(LEAD)[0].route_id
    monkeypatch.setattr(Routes, "renew_secret", _refused)

    page.button(key=f"renew-{key}").click().run()

    assert "gone while you looked" in [text.value for text in page.text]


def _refused(routes: Routes, person: Person, route_id: int) -> str:
    raise SettingRefused("gone while you looked")
