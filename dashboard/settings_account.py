"""Settings, Account: who one is here, the language, one's own password, and the way out everywhere."""

import streamlit as st

from core.access import Capability, Person
from dashboard.frame import draw
from dashboard.language import say
from dashboard.markup import Markup, div, tag, text
from dashboard.resources import resources
from dashboard.session import zone
from dashboard.told import attempt, tell
from dashboard.viewer import seat, token, viewer
from dashboard.wording import ROLES, exact

_NOW, _NEW = "password-now", "password-new"


def tab(person: Person) -> None:
    """Draw it."""
    tell()
    with st.container(key="account"):
        draw(_facts(person))
    if seat().is_vouched:
        draw(tag("p", text(say("Your provider signs you in, and has your password.")), cls="cw-quiet"))
    else:
        _password_form()
    with st.container(key="everywhere"):
        st.button(
            say("Sign out everywhere"),
            icon=":material/logout:",
            key="sign-out-everywhere",
            on_click=attempt,
            args=(_sign_out_everywhere,),
        )


def _password_form() -> None:
    with st.form("own-password", width=480, clear_on_submit=True):
        st.subheader(say("Change password"), anchor=False)
        st.text_input(say("Password now, if you have one"), type="password", key=_NOW, max_chars=256)
        st.text_input(say("New password, at least 12 characters"), type="password", key=_NEW, max_chars=256)
        st.form_submit_button(say("Change password"), on_click=attempt, args=(_change_password,))


def _facts(person: Person) -> Markup:
    rights = ", ".join(say(right.words) for right in Capability if person.may(right))
    facts = {
        say("Name"): person.name,
        say("Role"): say(ROLES[person.role]),
        say("May"): rights,
        say("Signed in until"): exact(seat().expires_at, zone()),
    }
    cells = [cell for name, value in facts.items() for cell in (tag("dt", text(name)), tag("dd", text(value)))]
    return div("cw-account", tag("dl", *cells, cls="cw-facts"))


def _change_password() -> str:
    person, now, new = viewer(), st.session_state[_NOW], st.session_state[_NEW]
    resources().sessions.confirm(person, now)
    resources().people.set_password(person, person.user_id, new)
    resources().seats.forget(token())
    return say("Your password is changed. Sign in with it.")


def _sign_out_everywhere() -> str:
    resources().sessions.sign_out_everywhere(viewer())
    resources().seats.forget(token())
    return say("You are signed out everywhere.")
