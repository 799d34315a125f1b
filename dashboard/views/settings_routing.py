"""Settings, Alert routing: the routes, how they do, and the one place where their secrets are shown, once."""

import streamlit as st

from core.access import Capability, Person
from core.errors import StoreUnavailable
from core.routing import Channel, RouteForm
from core.routing_event import RoutedKind
from core.storage.routes import DeliveryRow, RouteRow
from dashboard import queries, session
from dashboard.cards import empty, notice_lines
from dashboard.data import rules
from dashboard.frame import draw
from dashboard.language import say
from dashboard.outage import database_is_down
from dashboard.resources import resources
from dashboard.routing_actions import new_secret_of, route_buttons, show_secret
from dashboard.routing_cards import route_card, router_notices, test_line, troubles
from dashboard.routing_form import route_form
from dashboard.viewer import viewer

REFRESH_S = 2.0
TROUBLES = 5
TEST = RoutedKind.TEST.value


def tab(person: Person) -> None:
    """Draw the tab."""
    person.require(Capability.SET_POLICY)
    show_secret()
    st.fragment(_routes, run_every=REFRESH_S)()
    with st.expander(say("New route"), icon=":material/add:"):
        route_form("new", None, save=_add)


def _routes() -> None:
    try:
        person = viewer()
        rows, told = rules.routes().all(person), rules.routes().told(person, TROUBLES)
    except StoreUnavailable:
        draw(database_is_down(say("Routes cannot be shown or changed meanwhile; what is flagged waits, none is lost.")))
        return
    draw(notice_lines(router_notices(queries.reading().snapshot.heartbeats, has_routes=bool(rows))))
    if not rows:
        with st.container(key="no-routes"):
            about = say("A route sends alerts to a program of yours, to a chat or to a mailbox.")
            draw(empty(say("No route yet"), about))
    for row in rows:
        with st.container(key=f"route-{row.route_id}"):
            _route(row, [one for one in told if one.route_id == row.route_id])


def _route(row: RouteRow, told: list[DeliveryRow]) -> None:
    now, zone = resources().clock.now(), session.zone()
    draw(route_card(row, now, zone))
    for test in (one for one in told if one.kind == TEST):
        draw(test_line(test))
    route_buttons(row)
    if failed := [one for one in told if one.kind != TEST]:
        draw(troubles(failed, now, zone))


def _add(form: RouteForm) -> None:
    secret = rules.routes().add(viewer(), form)
    if form.terms.channel is Channel.WEBHOOK:
        new_secret_of(form.name, secret)
    st.toast(say("The route is saved."))
    st.rerun()
