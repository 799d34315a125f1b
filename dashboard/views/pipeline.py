"""Pipeline: what runs, how far it is, what could not be used, what the processes say; and commands to all of it."""

from datetime import datetime, tzinfo

import streamlit as st

from core.access import Capability
from dashboard import session
from dashboard.cards import banner, updated
from dashboard.frame import draw
from dashboard.language import say
from dashboard.pipeline_letters import letters_part
from dashboard.pipeline_logs import logs_part
from dashboard.pipeline_processes import processes_part
from dashboard.resources import resources
from dashboard.viewer import viewer

REFRESH_S = 2.0
PARTS = ("processes", "letters", "logs")
MOVING = ("letters", "logs")
"""Parts with a list to which something comes: it stands still unless it is followed."""
_PART = "part"


def page() -> None:
    """Draw the page; its figures redraw themselves, a browser reload is never needed."""
    viewer().require(Capability.SEE_PLATFORM)
    st.fragment(_pipeline, run_every=max(REFRESH_S, resources().settings.dashboard.refresh_s))()


def _pipeline() -> None:
    now, zone = resources().clock.now(), session.zone()
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title(say("Pipeline"), anchor=False, width="content")
        age = st.container(width="content")
        follow = st.container(width="content")
    words = resources().settings.dashboard.banner
    if words:
        draw(banner(words))
    part = _chosen()
    if part in MOVING:
        follow.toggle(say("Follow"), session.is_following(), key=session.FOLLOW, on_change=session.keep_following)
    at = _part(part, now, zone)
    with age:
        draw(updated(at, now, zone))


def _chosen() -> str:
    titles = {"processes": say("Processes"), "letters": say("Dead letters"), "logs": say("Logs")}
    named = st.query_params.get(_PART, PARTS[0])
    part = st.segmented_control(
        say("Show"),
        PARTS,
        default=named if named in PARTS else PARTS[0],
        required=True,
        format_func=lambda name: titles[name],
        key="pipeline-part",
        label_visibility="collapsed",
        on_change=_keep,
    )
    return str(part)


def _part(part: str, now: datetime, zone: tzinfo) -> datetime | None:
    if part == "letters":
        return letters_part(now, zone)
    if part == "logs":
        return logs_part()
    return processes_part(now, zone)


def _keep() -> None:
    st.query_params[_PART] = st.session_state["pipeline-part"]
