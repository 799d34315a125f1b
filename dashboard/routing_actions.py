"""What one can do with a route, and the secret that is shown once."""

from collections.abc import Callable

import streamlit as st

from core.access import Person
from core.errors import StoreUnavailable
from core.errors_console import AccessRefused, SettingRefused
from core.routing import Channel, RouteForm
from core.storage.routes import RouteRow
from dashboard.data import rules
from dashboard.frame import draw
from dashboard.language import say, say_error
from dashboard.markup import span
from dashboard.routing_form import route_form
from dashboard.viewer import viewer

_SECRET = "route-secret"  # noqa: S105 - a key of the session, no secret


def acting(done: str, act: Callable[[Person], object]) -> bool:
    """Do it as who clicked, and say that it was done or why not; whether it was."""
    try:
        act(viewer())
    except (SettingRefused, AccessRefused) as error:
        st.toast(say("Nothing was changed."))
        st.text(say_error(error))
    except StoreUnavailable:
        st.toast(say("The database does not answer; nothing was changed."))
    else:
        st.toast(done)
        return True
    return False


def new_secret_of(name: str, secret: str) -> None:
    """Have a secret shown until the person says that it is stored."""
    st.session_state[_SECRET] = (name, secret)


def show_secret() -> None:
    """The secret that was just made; this session alone has it."""
    if _SECRET not in st.session_state:
        return
    name, secret = st.session_state[_SECRET]
    with st.container(key="new-secret"):
        st.text(say("The secret of route {name}. It is shown this once; store it with the receiver.", name=name))
        st.code(secret, language=None)
        st.button(say("I have stored it"), on_click=lambda: st.session_state.pop(_SECRET, None))


def route_buttons(row: RouteRow) -> None:
    """The buttons of one route."""
    routes, key = rules.routes(), row.route_id
    paused = row.form.model_copy(update={"is_enabled": not row.form.is_enabled})
    with st.container(horizontal=True, key=f"route-buttons-{key}"):
        _button(say("Send a test"), f"test-{key}", say("A test is on its way."), lambda who: routes.send_test(who, key))
        name = say("Pause") if row.form.is_enabled else say("Resume")
        _button(name, f"pause-{key}", say("The route is saved."), lambda who: routes.change(who, key, paused))
        if row.dead:
            again = say("Send {n} dead again", n=row.dead)
            _button(again, f"revive-{key}", say("They are tried again."), lambda who: routes.revive(who, key))
        with st.popover(say("Edit")):
            route_form(str(key), row.form, save=lambda form: _change(key, form))
        with st.popover(say("More")):
            _more(row)


def _change(route_id: int, form: RouteForm) -> None:
    rules.routes().change(viewer(), route_id, form)
    st.toast(say("The route is saved."))
    st.rerun(scope="app")


def _more(row: RouteRow) -> None:
    routes, key = rules.routes(), row.route_id
    if row.form.terms.channel is Channel.WEBHOOK:
        draw(span(say("A new secret holds at once; the receiver refuses alerts until it has it."), "cw-quiet"))
        if st.button(say("New secret"), key=f"renew-{key}"):
            _acting_whole(
                say("The secret is new."), lambda who: new_secret_of(row.form.name, routes.renew_secret(who, key))
            )
    draw(span(say("Removing a route forgets its deliveries too. Type its name to confirm."), "cw-quiet"))
    typed = st.text_input(say("Name of the route"), key=f"confirm-{key}")
    if st.button(say("Remove route"), key=f"remove-{key}", disabled=typed.strip() != row.form.name):
        _acting_whole(say("The route is removed."), lambda who: routes.remove(who, key))


def _acting_whole(done: str, act: Callable[[Person], object]) -> None:
    """As `acting`, where the whole page changes by it; a refusal stands, for its reason to be read."""
    if acting(done, act):
        st.rerun(scope="app")


def _button(label: str, key: str, done: str, act: Callable[[Person], object]) -> None:
    st.button(label, key=key, on_click=_clicked, args=(done, act))


def _clicked(done: str, act: Callable[[Person], object]) -> None:
    acting(done, act)
