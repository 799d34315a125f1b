"""How fast videos play: the choice in the settings and under the player, and what the browser is told."""

import streamlit as st

from dashboard.data.wellness import Speed
from dashboard.language import say

PLAYER = "speed"


def speed_control(now: Speed, key: str, *, is_labelled: bool = True) -> None:
    """Draw the choice; it begins with `now`."""
    st.segmented_control(
        say("Speed"),
        list(Speed),
        default=now,
        required=True,
        key=key,
        format_func=lambda speed: f"{speed.value}\N{MULTIPLICATION SIGN}",
        label_visibility="visible" if is_labelled else "collapsed",
    )


def chosen() -> float:
    """What the player on the page is to play at; a player's own choice goes with it."""
    return float(st.session_state.get(PLAYER, Speed.NORMAL))
