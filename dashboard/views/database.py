"""Database: what may be read with one's own SQL, and a box to do it in."""

import streamlit as st

from core.access import Person
from core.errors import StoreUnavailable
from dashboard import queries
from dashboard.cards import banner, empty
from dashboard.data.catalogue import View
from dashboard.frame import draw, titled
from dashboard.language import say
from dashboard.outage import comes_back, database_is_down
from dashboard.resources import resources
from dashboard.sql_cards import about_rows, columns, view_card
from dashboard.sql_panel import panel, put_and_run
from dashboard.sql_templates import preview
from dashboard.updated import updated
from dashboard.viewer import viewer
from dashboard.wording import size

_CHOSEN = "sql-view"


def page() -> None:
    """Draw the page."""
    person = viewer()
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title(say("Database"), anchor=False, width="content")
    if words := resources().settings.dashboard.banner:
        draw(banner(words))
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _views(person)
    with right:
        titled(say("SQL"))
        panel(person)


def _views(person: Person) -> None:
    titled(say("What can be read"))
    try:
        known = queries.catalogue(person)
    except StoreUnavailable:
        then = say("Nothing can be read until it does; scoring waits for it, and nothing is lost.")
        draw(database_is_down(then))
        comes_back()
        return
    if not known.value:
        draw(empty(say("There is nothing to read yet"), say("Bring the database up to date:"), command="clipwarden up"))
        return
    updated(known.at)
    with st.container(key="sql-views", gap=None):
        for view in known.value:
            _row(view)


def _row(view: View) -> None:
    chosen = st.session_state.get(_CHOSEN) == view.name
    with st.container(key=f"sql-view-{view.name}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            draw(view_card(view, about=_about(view)))
            label = say("Close") if chosen else say("Columns")
            st.button(label, key=f"columns-{view.name}", on_click=_choose, args=(None if chosen else view.name,))
            st.button(say("Preview"), key=f"preview-{view.name}", on_click=put_and_run, args=(preview(view.name),))
        if chosen:
            draw(columns(view, (say("column"), say("type"), say("meaning"))))


def _about(view: View) -> str:
    if view.rows is None:
        return say("rows not counted yet, {size} behind it", size=size(view.size_bytes))
    return say("{rows} rows, {size} behind it", rows=about_rows(view.rows), size=size(view.size_bytes))


def _choose(name: str | None) -> None:
    st.session_state[_CHOSEN] = name
