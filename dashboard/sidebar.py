"""Beside every page: who is signed in, the language they read, the way out."""

import streamlit as st

from core.access import Person
from core.errors import StoreUnavailable
from core.errors_console import NotSignedIn
from dashboard.frame import draw
from dashboard.language import KEY, Language, language, say
from dashboard.markup import div, span
from dashboard.resources import resources
from dashboard.viewer import token, viewer
from dashboard.wording import ROLES

_CHOICE = "language-choice"
_NAMES = {Language.ENGLISH: "English", Language.VIETNAMESE: "Tiếng Việt"}


def sidebar(person: Person) -> None:
    """Draw it; called once per page."""
    with st.sidebar, st.container(key="viewer"):
        draw(div("cw-viewer", span(person.name, "cw-viewer-name"), span(say(ROLES[person.role]), "cw-quiet")))
        st.segmented_control(
            say("Language"),
            list(Language),
            default=language(),
            key=_CHOICE,
            format_func=_NAMES.__getitem__,
            on_change=_keep_language,
            label_visibility="collapsed",
        )
        st.button(say("Sign out"), icon=":material/logout:", key="sign-out", on_click=sign_out)


def sign_out() -> None:
    """End this session; the page is led out as it is drawn again."""
    try:
        resources().sessions.sign_out(token())
    except StoreUnavailable:
        # What is remembered of the session stays: without it nobody could be known, nor watch on.
        st.toast(say("The database does not answer; you are still signed in."))
    else:
        resources().seats.forget(token())


def _keep_language() -> None:
    chosen = st.session_state.get(_CHOICE)
    if chosen is None:
        return
    st.session_state[KEY] = chosen
    try:
        resources().people.set_language(viewer(), chosen)
        # What is remembered of the session still has the language before, and a reload begins with that.
        resources().seats.forget(token())
    except (StoreUnavailable, NotSignedIn):
        # It holds for this visit all the same.
        return
