"""The live monitor: is it well, what came, and why."""

from datetime import datetime, tzinfo

import streamlit as st

from dashboard import queries, session
from dashboard.alert_list import alert_list
from dashboard.alert_pane import alert_pane
from dashboard.cards import banner, notice_lines, skeleton, status, strip
from dashboard.figures import figures
from dashboard.frame import draw
from dashboard.notices import notices
from dashboard.pointer import is_over_list
from dashboard.reading import Reading
from dashboard.resources import resources


def page() -> None:
    """Draw the page; it redraws itself, a browser reload is never needed."""
    st.fragment(_monitor, run_every=resources().settings.dashboard.refresh_s)()


def _monitor() -> None:
    reading, zone = _read(), session.zone()
    now = resources().clock.now()
    held = session.is_held(pointed_at=is_over_list())
    _head(reading, now, held=held)
    _wellness(reading, now, zone)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        rows = alert_list(reading, now, zone=zone, held=held)
    with right:
        alert_pane(rows, reading, now, zone=zone)


def _read() -> Reading:
    ghost = st.empty()
    if session.is_first_look():
        with ghost:
            draw(skeleton())
    reading = queries.reading()
    ghost.empty()
    return reading


def _head(reading: Reading, now: datetime, *, held: bool) -> None:
    paused = session.is_paused()
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title("Live monitor", anchor=False, width="content")
        draw(status(reading, now, paused=paused, held=held))
        st.button(
            "Follow" if paused else "Pause",
            key="pause",
            icon=":material/play_arrow:" if paused else ":material/pause:",
            on_click=session.toggle_pause,
        )


def _wellness(reading: Reading, now: datetime, zone: tzinfo) -> None:
    words = resources().settings.dashboard.banner
    if words:
        draw(banner(words))
    draw(notice_lines(notices(reading, now, zone)))
    draw(strip(figures(reading.snapshot, now, live_size=resources().settings.redis.live_size)))
