"""What became of something a person asked for on the settings page: said once, on the next drawing."""

from collections.abc import Callable

import streamlit as st

from core.errors import StoreUnavailable
from core.errors_console import AccessRefused, SignInThrottled
from dashboard.cards import notice_lines
from dashboard.frame import draw
from dashboard.language import say, say_error
from dashboard.notices import Notice

_TOLD = "settings-told"


def attempt(action: Callable[[], str]) -> None:
    """Do it in a callback, and keep what is to be said: the action's words, or why nothing was done."""
    try:
        tone, words = "good", action()
    except StoreUnavailable:
        tone, words = "bad", say("The database does not answer; nothing was changed.")
    except SignInThrottled as error:
        tone, words = "bad", say("Too many attempts. Try again in {wait} s.", wait=error.wait_s)
    except AccessRefused as error:
        tone, words = "bad", say_error(error)
    st.session_state[_TOLD] = (tone, words)


def tell() -> None:
    """Draw what is to be said, if anything is."""
    tone, words = st.session_state.pop(_TOLD, ("", ""))
    if words:
        draw(notice_lines([Notice(tone, words, "")]))
