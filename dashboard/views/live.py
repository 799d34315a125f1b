"""The live monitor: is it well, what came, and why."""

from datetime import datetime, tzinfo

import streamlit as st

from core.access import Capability
from dashboard import care, queries, session
from dashboard.alert_list import alert_list, alerts_now
from dashboard.alert_pane import alert_pane
from dashboard.cards import banner, notice_lines, skeleton, strip
from dashboard.figures import figures
from dashboard.frame import draw
from dashboard.keys import LIVE, key_list
from dashboard.live_head import live_head
from dashboard.notices import notices
from dashboard.pointer import is_over_list
from dashboard.reading import Reading
from dashboard.resources import resources
from dashboard.sound import is_on, ring_for
from dashboard.viewer import viewer


def page() -> None:
    """Draw the page; it redraws itself, a browser reload is never needed."""
    st.fragment(_monitor, run_every=resources().settings.dashboard.refresh_s)()


def _monitor() -> None:
    reading, zone = _read(), session.zone()
    now, now_s = resources().clock.now(), resources().clock.monotonic_s()
    suspended_s = session.suspended_for_s(now_s)
    held = session.is_held(pointed_at=is_over_list(), suspended=suspended_s > 0)
    live_head(reading, now, held=held, suspended_s=suspended_s)
    _is_it_well(reading, now, zone)
    key_list(LIVE)
    ring_for(alerts_now(reading) if is_on() else (), now_s, silent=suspended_s > 0)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        rows = alert_list(reading, now, zone=zone, held=held, stills=care.wellness(reading).veil)
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


def _is_it_well(reading: Reading, now: datetime, zone: tzinfo) -> None:
    words = resources().settings.dashboard.banner
    if words:
        draw(banner(words))
    draw(notice_lines(notices(reading, now, zone)))
    live_size, sees_platform = resources().settings.redis.live_size, viewer().may(Capability.SEE_PLATFORM)
    draw(strip(figures(reading.snapshot, now, live_size=live_size, sees_platform=sees_platform)))
