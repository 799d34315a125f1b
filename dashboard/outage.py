"""What stands where a block cannot be drawn: the database is away, or the person has no right to it."""

import streamlit as st

from core.access import CAPABILITIES, Capability, Role
from dashboard import queries, session
from dashboard.cards import empty, notice_lines
from dashboard.language import say
from dashboard.markup import Markup
from dashboard.notices import Notice
from dashboard.resources import resources
from dashboard.wording import ROLES, time_of_day

RETRY_S = 3.0
_DRAWN = "outage-drawn"


def comes_back() -> None:
    """Draw the whole page again once the database answers: who waits before an outage has nothing to press."""
    st.session_state[_DRAWN] = True
    st.fragment(_look_again, run_every=RETRY_S)()


def _look_again() -> None:
    # The first look is part of the drawing that just failed.
    if not st.session_state.pop(_DRAWN, False) and queries.reading().history_down_since is None:
        st.rerun(scope="app")


def database_is_down(meanwhile: str) -> Markup:
    """The block's place while the database is away: since when, and what that means meanwhile."""
    since = queries.reading().history_down_since or resources().clock.now()
    what = say("The database does not answer since {time}.", time=time_of_day(since, session.zone()))
    return notice_lines([Notice("bad", what, meanwhile)])


def not_yet() -> Markup:
    """The block's place while its first answer is on its way."""
    return empty(say("Still being read"), say("The answer takes longer than usual; it comes by itself."))


def no_right(needs: Capability) -> Markup:
    """The place of a page or a block for who may not see it: which roles may."""
    roles = ", ".join(say(ROLES[role]) for role in Role if needs in CAPABILITIES[role])
    return empty(say("No right to see this"), say("It takes one of these roles: {roles}. Ask an admin.", roles=roles))
