"""The keys of each page: what each does, and the list that `?` shows."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.frame import draw
from dashboard.language import say
from dashboard.markup import div, join, span, tag, text

NAME = "clipwarden_keys"
LIVE: Mapping[str, str] = {
    "J": "next alert",
    "K": "previous alert",
    "Esc": "close the alert",
    "P": "play the video, blurred and muted",
    "B": "blur, or show unblurred",
    "1 3 5 7": "confirm the first, second, third, fourth label",
    "2 4 6 8": "reject the first, second, third, fourth label",
    "S": "save the decision",
    "Z": "undo your last decision on this video",
    "?": "show or hide this list",
}
DETAIL: Mapping[str, str] = {
    "J": "next video",
    "K": "previous video",
    "Esc": "back to the gallery",
    "P": "play the video, blurred and muted",
    "B": "blur, or show unblurred",
    "?": "show or hide this list",
}
"""Of the content audit, while a video is open in detail."""
ANYWHERE: Mapping[str, str] = {
    "Tab": "next button or field; with Shift, the one before",
    "Enter": "press the button",
    "Esc": "close a menu",
    "?": "show or hide this list",
}
"""Of every page that has none of its own."""
_JS = (Path(__file__).parent / "keys.js").read_text(encoding="utf-8")
_SHOWN = "keys-shown"


def keys_of_page(keys: Mapping[str, str] = ANYWHERE) -> None:
    """As `key_list`, on a page that does not redraw itself: the list comes and goes without it."""
    st.fragment(key_list)(keys)


def key_list(keys: Mapping[str, str]) -> None:
    """Listen for `?`, and draw the list while it is asked for."""
    _listener()(key="keys", on_asked_change=turn)
    # Always there, or what stands below would be drawn anew, and its keys be deaf for a moment.
    with st.container(key="key-space"):
        if st.session_state.get(_SHOWN):
            _list(keys)


def _list(keys: Mapping[str, str]) -> None:
    with st.container(key="key-list", gap="small"):
        rows = [join(tag("dt", tag("kbd", text(key))), tag("dd", text(say(what)))) for key, what in keys.items()]
        draw(div("cw-keys", span(say("Keys"), "cw-empty-title"), tag("dl", *rows)))
        draw(span(say("No key acts while you type."), "cw-quiet"))
        st.button(say("Close"), key="hide-keys", type="tertiary", on_click=turn)


def turn() -> None:
    """Show the list, or hide it."""
    st.session_state[_SHOWN] = not st.session_state.get(_SHOWN, False)


@st.cache_resource(show_spinner=False)
def _listener() -> Callable[..., Any]:
    # Registered once per process: Streamlit warns of a second registration under one name.
    listener: Callable[..., Any] = st.components.v2.component(NAME, js=_JS)
    return listener
