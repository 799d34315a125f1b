"""The live monitor's head: does the list follow, and what makes it be quiet."""

from datetime import datetime

import streamlit as st

from dashboard import keys, session, sound
from dashboard.cards import status
from dashboard.frame import draw
from dashboard.language import say
from dashboard.reading import Reading
from dashboard.resources import resources

SUSPENDED_FOR_MIN = (5, 15, 30, 60)


def live_head(reading: Reading, now: datetime, *, held: bool, suspended_s: float) -> None:
    """Draw it."""
    following = session.is_following()
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title(say("Live monitor"), anchor=False, width="content")
        draw(status(reading, now, following=following, held=held, suspended_s=suspended_s))
        st.toggle(
            say("Follow"),
            value=following,
            key=session.FOLLOW,
            on_change=session.keep_following,
            help=say("New alerts come into the list by themselves. Else it stands still, and a button says how many."),
        )
        with st.popover("", icon=":material/tune:", key="list-menu"):
            _menu(suspended_s)


def _menu(suspended_s: float) -> None:
    st.toggle(say("Sound for new alerts"), key=sound.ON, help=say("A short tone, at most four a minute."))
    if suspended_s:
        st.button(say("Go on now"), key="go-on", icon=":material/play_arrow:", on_click=session.suspend, args=(None,))
    else:
        with st.container(key="suspend", gap="small"):
            st.text(say("Suspend the list for"))
            with st.container(horizontal=True, gap="small"):
                for minutes in SUSPENDED_FOR_MIN:
                    st.button(f"{minutes} min", key=f"suspend-{minutes}", on_click=_suspend, args=(minutes,))
    st.button(say("List of keys"), key="show-keys", icon=":material/keyboard:", type="tertiary", on_click=keys.turn)


def _suspend(minutes: int) -> None:
    session.suspend(resources().clock.monotonic_s() + 60.0 * minutes)
