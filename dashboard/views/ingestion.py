"""Ingestion: what comes in, how far it is, what was refused and why; sources can be paused and tried again."""

from datetime import datetime, tzinfo

import streamlit as st

from dashboard import queries, session
from dashboard.arrivals import Arrivals, arrival_figures, by_code, by_source
from dashboard.arrivals_cards import ledger_notices, trouble_list
from dashboard.arrivals_list import code_list, source_list
from dashboard.cards import banner, empty, notice_lines, strip, updated
from dashboard.frame import draw, titled
from dashboard.language import say
from dashboard.resources import resources
from dashboard.viewer import viewer

REFRESH_S = 2.0
FIRST = "Files, folders, links, uploads and crawls show here, each with how far it came. Begin with one:"


def page() -> None:
    """Draw the page; it redraws itself, a browser reload is never needed."""
    st.fragment(_arrivals, run_every=max(REFRESH_S, resources().settings.dashboard.refresh_s))()


def _arrivals() -> None:
    arrivals, zone, now = queries.arrivals(viewer()), session.zone(), resources().clock.now()
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title(say("Ingestion"), anchor=False, width="content")
        draw(updated(arrivals.at, now, zone))
    words = resources().settings.dashboard.banner
    if words:
        draw(banner(words))
    draw(notice_lines(ledger_notices(arrivals.down_since, zone)))
    if not (arrivals.counts or arrivals.pulse.paused):
        _nothing(arrivals)
        return
    draw(strip(arrival_figures(arrivals, now)))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        titled(say("By source"))
        source_list(by_source(arrivals))
    with right:
        _troubles(arrivals, now, zone)


def _troubles(arrivals: Arrivals, now: datetime, zone: tzinfo) -> None:
    titled(say("Refused and failed, by code"))
    codes = {row.code: row for row in by_code(arrivals.counts)}
    if not codes:
        with st.container(key="codes"):
            draw(empty(say("Nothing was refused"), say("What cannot be taken stands here with its reason.")))
        return
    code_list([codes[code] for code in session.in_place("item-codes", list(codes))])
    titled(say("The last of them"))
    with st.container(key="troubles"):
        draw(trouble_list(arrivals.troubled, now, zone))


def _nothing(arrivals: Arrivals) -> None:
    with st.container(key="first-item"):
        if arrivals.down_since:
            draw(empty(say("Nothing to show"), say("The database has not answered since this console started.")))
        else:
            draw(
                empty(
                    say("Nothing has come in yet"),
                    say(FIRST),
                    command="clipwarden produce clip.mp4",
                )
            )
