"""What every look at the console passes: who is signed in goes on, everybody else goes to the sign-in page."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import streamlit as st

from core.access import Person
from core.errors import StoreUnavailable
from core.errors_console import NotSignedIn
from dashboard.cards import empty
from dashboard.frame import draw
from dashboard.language import KEY, say
from dashboard.provider_steps import is_leaving, leads_to
from dashboard.viewer import seat, viewer

WATCH_S = 3.0
"""How often an open page asks whether its session still stands."""
NAME = "clipwarden_door"
_JS = (Path(__file__).parent / "door.js").read_text(encoding="utf-8")


def person_at_the_door() -> Person:
    """The viewer; for anybody else the script ends here, and nothing else is drawn."""
    try:
        found = seat()
    except NotSignedIn:
        if not is_leaving():
            _lead_out(leads_to())
        st.stop()
    except StoreUnavailable:
        draw(empty(say("The database does not answer"), say("Who you are cannot be checked. This page tries again.")))
        st.fragment(_knock, run_every=WATCH_S)()
        st.stop()
    if found.language:
        st.session_state.setdefault(KEY, found.language)
    st.fragment(_watch, run_every=WATCH_S)()
    return found.person


def is_drawn_by_the_door(error: Exception) -> bool:
    """Whether an error of the page needs no words of its own: who is no longer signed in is led out anyway."""
    return isinstance(error, NotSignedIn)


def _watch() -> None:
    try:
        viewer()
    except NotSignedIn:
        st.rerun(scope="app")
    except StoreUnavailable:
        return


def _knock() -> None:
    with suppress(NotSignedIn):
        try:
            viewer()
        except StoreUnavailable:
            return
    st.rerun(scope="app")


def _lead_out(to: str | None) -> None:
    with st.container(key="door"):
        _door()(key="way-out", data={"to": to})
        st.link_button(say("Sign in"), to or "sign-in")


@st.cache_resource(show_spinner=False)
def _door() -> Callable[..., Any]:
    # Registered once per process: Streamlit warns of a second registration under one name.
    door: Callable[..., Any] = st.components.v2.component(NAME, js=_JS)
    return door
