"""Settings, People: who is here, as what; adding, changing and shutting out, each at once and in the audit log."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.access import Person, Role
from core.storage.people import Account
from dashboard.frame import draw
from dashboard.language import say
from dashboard.markup import div, span, tag, text
from dashboard.resources import resources
from dashboard.session import zone
from dashboard.told import attempt, tell
from dashboard.viewer import viewer
from dashboard.wording import ROLES

_LINK, _WHO, _ROLE, _NAME, _AS = "people-link", "people-who", "people-role", "people-name", "people-as"


def tab(person: Person) -> None:
    """Draw it."""
    accounts = resources().people.list(person)
    tell()
    _show_link()
    st.dataframe(_table(accounts), hide_index=True, width="stretch")
    change, add = st.columns(2, gap="medium")
    with change, st.container(key="people-change"):
        _change(accounts)
    with add, st.form("add-person", clear_on_submit=True):
        st.subheader(say("Add a person"), anchor=False)
        st.text_input(say("Name"), key=_NAME, max_chars=60)
        st.selectbox(say("Role"), list(Role), key=_AS, format_func=lambda role: say(ROLES[role]))
        st.form_submit_button(say("Add"), on_click=attempt, args=(_add,))


def _change(accounts: Sequence[Account]) -> None:
    st.subheader(say("Change a person"), anchor=False)
    known = {account.person.user_id: account for account in accounts}
    chosen = st.selectbox(say("Person"), list(known), key=_WHO, format_func=lambda who: known[who].person.name)
    account = known[chosen]
    roles = list(Role)
    here = roles.index(account.person.role)
    st.selectbox(say("Role"), roles, here, key=f"{_ROLE}-{chosen}", format_func=lambda role: say(ROLES[role]))
    if account.is_vouched:
        draw(span(say("The provider that signs them in decides on their role."), "cw-quiet"))
    with st.container(horizontal=True):
        give, decided = say("Give this role"), account.is_vouched
        st.button(give, key="give-role", on_click=attempt, args=(_give_role,), disabled=decided)
        if account.disabled_at:
            st.button(say("Let in again"), key="enable", on_click=attempt, args=(_enable,))
        else:
            st.button(say("Shut out"), key="disable", on_click=attempt, args=(_disable,))
            st.button(say("One-time link"), key="make-link", on_click=attempt, args=(_make_link,))


def _table(accounts: Sequence[Account]) -> pd.DataFrame:
    def shown(account: Account) -> dict[str, object]:
        seen, ended = account.last_seen_at, account.disabled_at
        by = say("provider") if account.is_vouched else say("password") if account.has_password else say("link")
        return {
            say("Name"): account.person.name,
            say("Role"): say(ROLES[account.person.role]),
            say("Enters by"): by,
            say("Last here"): f"{seen.astimezone(zone()):%Y-%m-%d %H:%M}" if seen else "",
            say("Shut out"): f"{ended.astimezone(zone()):%Y-%m-%d %H:%M}" if ended else "",
        }

    return pd.DataFrame([shown(account) for account in accounts])


def _show_link() -> None:
    link = st.session_state.pop(_LINK, None)
    if link:
        words = span(say("Works once, soon. It is shown this one time:"), "cw-quiet")
        draw(div("cw-entry-link", words, tag("code", text(link))))


def _add() -> str:
    person = resources().people.add(viewer(), st.session_state[_NAME], st.session_state[_AS])
    _keep_link(person.user_id)
    return say("Added.")


def _give_role() -> str:
    who = st.session_state[_WHO]
    resources().people.set_role(viewer(), who, st.session_state[f"{_ROLE}-{who}"])
    return say("The role is given; their sessions ended.")


def _disable() -> str:
    resources().people.disable(viewer(), st.session_state[_WHO])
    return say("Shut out; their sessions ended.")


def _enable() -> str:
    resources().people.enable(viewer(), st.session_state[_WHO])
    return say("They may sign in again.")


def _make_link() -> str:
    _keep_link(st.session_state[_WHO])
    return say("The link is made.")


def _keep_link(user_id: str) -> None:
    address = resources().settings.sign_in.address
    st.session_state[_LINK] = f"{address}/enter?link={resources().people.link(viewer(), user_id)}"
