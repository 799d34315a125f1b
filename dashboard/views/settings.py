"""Settings: one's own account, and what those with the right to it change for everybody; a tab each."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.access import Capability, Person
from core.errors import StoreUnavailable
from core.errors_console import Forbidden
from dashboard import settings_account, settings_audit, settings_people, wellness_form
from dashboard.frame import draw
from dashboard.language import say
from dashboard.outage import comes_back, database_is_down, no_right
from dashboard.viewer import viewer
from dashboard.views import settings_retention, settings_routing

_TAB, _CHOICE = "tab", "settings-tab"


@dataclass(frozen=True)
class Tab:
    """One part of the page.

    Attributes:
        path: its name in the address.
        title: in English.
        needs: who lacks this does not see it; None: it is everybody's.
    """

    draw: Callable[[Person], None]
    path: str
    title: str
    needs: Capability | None = None


TABS = (
    Tab(settings_account.tab, "account", "Account"),
    Tab(wellness_form.tab, "wellness", "Wellness", Capability.SEE_MEDIA),
    Tab(settings_routing.tab, "alert-routing", "Alert routing", Capability.SET_POLICY),
    Tab(settings_retention.tab, "retention", "Retention", Capability.SET_POLICY),
    Tab(settings_people.tab, "people", "People", Capability.MANAGE_PEOPLE),
    Tab(settings_audit.tab, "audit-log", "Audit log", Capability.SEE_AUDIT_LOG),
)


def page() -> None:
    """Draw the page; only the open tab asks the stores."""
    person = viewer()
    mine = {tab.path: tab for tab in TABS if tab.needs is None or person.may(tab.needs)}
    others = {tab.path: tab for tab in TABS if tab.path not in mine}
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title(say("Settings"), anchor=False, width="content")
    asked = st.query_params.get(_TAB, "")
    st.segmented_control(
        say("Settings"),
        list(mine),
        default=None if asked in others else asked if asked in mine else TABS[0].path,
        key=_CHOICE,
        format_func=lambda path: say(mine[path].title),
        on_change=_keep_tab,
        label_visibility="collapsed",
    )
    chosen = {**others, **mine}.get(st.session_state[_CHOICE] or asked, TABS[0])
    try:
        if chosen.needs:
            person.require(chosen.needs)
        chosen.draw(person)
    except Forbidden:
        draw(no_right(chosen.needs or Capability.SEE_VERDICTS))
    except StoreUnavailable:
        words = say("Accounts and the log lie there. Watching goes on; nothing here can be read or changed now.")
        draw(database_is_down(words))
        comes_back()


def _keep_tab() -> None:
    st.query_params[_TAB] = st.session_state[_CHOICE] or TABS[0].path
