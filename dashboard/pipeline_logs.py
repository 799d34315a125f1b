"""The Pipeline page's logs: the end of one process's log, by level and words; where there is none, the command."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from dashboard import session
from dashboard.cards import empty
from dashboard.data.logs import LEVELS, LogLine
from dashboard.frame import draw
from dashboard.language import say
from dashboard.letter_cards import log_lines
from dashboard.resources import resources
from dashboard.viewer import viewer

_SHOWN = "log-shown"


def logs_part() -> datetime | None:
    """Draw it; the lines stand still until they are asked for, or followed. Returns when they were read."""
    logs, person = resources().platform.logs, viewer()
    names = logs.names(person)
    if not names:
        said = say("They are kept where the processes run. In containers:")
        draw(empty(say("No logs on this machine"), said, command="docker compose logs --follow --tail 200 flow-0"))
        return None
    with st.container(horizontal=True, vertical_alignment="bottom", key="log-bar", gap="small"):
        name = st.selectbox(say("Process"), names, key="process", bind="query-params", width=180)
        least = st.selectbox(say("Level, or worse"), LEVELS, key="level", bind="query-params", width=140)
        words = st.text_input(say("Words"), key="words", bind="query-params", placeholder=say("any"), width=260)
        st.button(say("Read again"), key="log-again", icon=":material/refresh:", type="tertiary", on_click=_forget)
    lines, at = _lines(str(name or names[0]), str(least or LEVELS[0]), str(words or ""))
    if lines:
        draw(log_lines(lines))
    else:
        draw(empty(say("No line matches"), say("Only the end of the log is searched; it holds none like this.")))
    return at


def _lines(name: str, least: str, words: str) -> tuple[Sequence[LogLine], datetime]:
    asked = (name, least, words)
    known, lines, at = st.session_state.get(_SHOWN, (None, (), None))
    if known != asked or session.is_following():
        at = resources().clock.now()
        lines = resources().platform.logs.tail(viewer(), name, least=least, words=words)
        st.session_state[_SHOWN] = (asked, lines, at)
    return lines, at


def _forget() -> None:
    st.session_state.pop(_SHOWN, None)
