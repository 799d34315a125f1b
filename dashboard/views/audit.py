"""Content audit: find any video, see all that is known of it, take the answer away."""

import streamlit as st

from core.access import Capability, Person
from core.errors import StoreUnavailable
from core.errors_console import Forbidden
from dashboard import audit_queries, audit_session, care, queries, session, watching
from dashboard.audit_address import Address, Form
from dashboard.audit_cards import first_start, nothing_matches
from dashboard.audit_detail import detail
from dashboard.audit_export import export_line, export_menu
from dashboard.audit_filters import clear_buttons, filter_bar, order_bar
from dashboard.audit_forms import GALLERY_ROWS, TABLE_ROWS, column_picker, gallery, table
from dashboard.audit_pages import count_line, form_choice, page_buttons
from dashboard.data.search_rows import Page
from dashboard.frame import draw
from dashboard.language import say
from dashboard.outage import comes_back, database_is_down, no_right
from dashboard.resources import resources
from dashboard.updated import updated
from dashboard.viewer import viewer


def page() -> None:
    """Draw the page from its address."""
    address = audit_session.address()
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title(say("Content audit"), anchor=False, width="content")
        form_choice(address)
    try:
        _audit(viewer(), address)
    except Forbidden:
        draw(no_right(Capability.SEE_VERDICTS))
    except StoreUnavailable:
        words = say("Nothing can be searched until it does. The live monitor goes on, and nothing is lost.")
        draw(database_is_down(words))
        comes_back()


def _audit(person: Person, address: Address) -> None:
    now = resources().clock.now()
    filter_bar(address, audit_queries.choices(person))
    limit = TABLE_ROWS if address.form is Form.TABLE else GALLERY_ROWS
    found = audit_queries.search().page(person, address.query, limit=limit, token=address.place)
    with st.container(horizontal=True, vertical_alignment="center", key="audit-bar", gap="small"):
        count_line(audit_queries.count(person, address.query))
        updated(now)
        order_bar(address.query)
        if address.form is Form.TABLE:
            column_picker(address)
        export_menu(person)
        page_buttons(found)
    export_line(person, address.query)
    if not found.rows and not address.video:
        _nothing(person, address)
    else:
        _rows(person, found, address)


def _nothing(person: Person, address: Address) -> None:
    fields = address.query.narrowed
    if not fields:
        draw(first_start())
        return
    blocking = audit_queries.search().blocking(person, address.query)
    with st.container(key="audit-nothing"):
        draw(nothing_matches(fields, blocking))
        clear_buttons(blocking)


def _rows(person: Person, found: Page, address: Address) -> None:
    now, zone = resources().clock.now(), session.zone()
    if address.form is Form.DETAIL:
        detail(person, found, address, now=now, zone=zone)
        return
    watching.stop()
    if address.form is Form.TABLE:
        table(found, address, zone)
    else:
        gallery(found, address, now, zone=zone, stills=care.wellness(queries.reading()).veil)
