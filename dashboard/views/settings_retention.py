"""Settings, Retention: what there is, how long it is kept, and choosing another period with open eyes."""

import streamlit as st

from core.access import Capability, Person
from core.errors import StoreUnavailable
from core.storage.periods import Periods
from core.storage.retention import Holding
from dashboard import session
from dashboard.data import rules
from dashboard.frame import draw
from dashboard.language import say
from dashboard.markup import span
from dashboard.outage import comes_back, database_is_down
from dashboard.resources import resources
from dashboard.retention_cards import holdings_table
from dashboard.retention_choice import choice

_LOOK_S = 60


def tab(person: Person) -> None:
    """Draw the tab."""
    person.require(Capability.SET_POLICY)
    try:
        periods = rules.retention().periods(person)
        now = resources().clock.now()
        draw(holdings_table(_holdings(person, periods), now, session.zone()))
        draw(
            span(
                say("What is older is deleted within the hour, with its captions; nobody can bring it back."),
                "cw-quiet",
            )
        )
        choice(person, periods)
    except StoreUnavailable:
        draw(database_is_down(say("Nothing is deleted and no period can be changed meanwhile.")))
        comes_back()


# Every viewer's look costs the database the same pages; who may not set policy never comes so far.
@st.cache_data(ttl=_LOOK_S, show_spinner=False)
def _holdings(_person: Person, periods: Periods) -> list[Holding]:  # noqa: ARG001 - a choice is looked at anew
    return rules.retention().holdings(_person)
