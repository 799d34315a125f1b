"""About: the path as it runs now, what flows on it, what scores, which words are used for what."""

import streamlit as st

from core.access import Capability
from dashboard import about_tables, queries
from dashboard.architecture import picture, stages
from dashboard.cards import banner
from dashboard.frame import draw, titled
from dashboard.language import say
from dashboard.resources import resources
from dashboard.viewer import viewer

REFRESH_S = 2.0


def page() -> None:
    """Draw the page; its live parts redraw themselves."""
    viewer().require(Capability.SEE_VERDICTS)
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title(say("About"), anchor=False, width="content")
    if words := resources().settings.dashboard.banner:
        draw(banner(words))
    st.fragment(_live, run_every=REFRESH_S)()
    with st.container(key="about-topics"):
        titled(say("Topics"))
        draw(about_tables.topics_table())
    with st.container(key="about-glossary"):
        titled(say("Glossary"))
        draw(about_tables.glossary())
    with st.container(key="about-licences"):
        titled(say("Versions and licences"))
        draw(about_tables.licences())


def _live() -> None:
    found, now = queries.reading(), resources().clock.now()
    objects_down_since = resources().media_probe.down_since()
    version = about_tables.installed("clipwarden")
    draw(picture(stages(found, objects_down_since=objects_down_since, console_version=version, now=now)))
    left, right = st.columns(2, gap="medium")
    with left, st.container(key="about-models"):
        titled(say("Models"))
        draw(about_tables.models(found.snapshot.heartbeats))
    with right, st.container(key="about-policy"):
        titled(say("Policy"))
        draw(about_tables.policy(found.snapshot.heartbeats))
