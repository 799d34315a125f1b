"""Commands from buttons: asked once more before they are issued, answered where they stand in the list."""

from dataclasses import dataclass

import streamlit as st

from core.errors import StoreUnavailable
from core.errors_console import AccessRefused
from core.storage.orders import Arguments, CommandKind
from dashboard.frame import draw
from dashboard.language import say, say_error
from dashboard.markup import div, span
from dashboard.resources import resources
from dashboard.viewer import viewer
from dashboard.wording import count

TYPED_ABOVE = 20
"""A command about more than so many things wants their number typed."""

_ASKED = "asked-command"


@dataclass(frozen=True)
class Asked:
    """A command that waits for its confirmation.

    Attributes:
        place: where on the page it was asked for; its question is drawn there.
        words: what will happen, in the viewer's language.
        things: how many it is about.
    """

    place: str
    kind: CommandKind
    arguments: Arguments
    words: str
    things: int = 1


def ask(asked: Asked) -> None:
    """Draw the question at its place at the next draw."""
    st.session_state[_ASKED] = asked


def asked_at(place: str) -> Asked | None:
    """What waits for its confirmation there."""
    asked: Asked | None = st.session_state.get(_ASKED)
    return asked if asked is not None and asked.place == place else None


def question(place: str) -> None:
    """Draw what was asked there, if anything was: what will happen, yes, no."""
    asked = asked_at(place)
    if asked is None:
        return
    with st.container(key="confirm", gap="small"):
        draw(div("cw-confirm", span(asked.words, "", dir="auto")))
        is_sure = True
        if asked.things > TYPED_ABOVE:
            typed = st.text_input(say("Type {n} to go on", n=asked.things), key="typed-count")
            is_sure = typed.strip() == str(asked.things)
        with st.container(horizontal=True, gap="small"):
            st.button(say("Do it"), key="confirm-yes", type="primary", disabled=not is_sure, on_click=_issue)
            st.button(say("Leave it"), key="confirm-no", on_click=_forget)


def replay_words(things: int) -> str:
    """What a replay of many does."""
    return say("Send {n} dead letters into the pipeline again, with their original timestamps.", n=count(things))


def _issue() -> None:
    asked: Asked | None = st.session_state.pop(_ASKED, None)
    if asked is None:
        return
    try:
        resources().platform.issue(viewer(), asked.kind, asked.arguments)
    except AccessRefused as error:
        st.toast(say_error(error), icon=":material/error:")
    except StoreUnavailable:
        st.toast(
            say("The database does not answer: look below whether the command was taken."), icon=":material/error:"
        )
    else:
        st.toast(say("Taken: its answer comes below."))


def _forget() -> None:
    st.session_state.pop(_ASKED, None)
