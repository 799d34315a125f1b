"""How many videos match, the way through them, and the form they are shown in."""

import streamlit as st

from dashboard import audit_session
from dashboard.audit_address import Address, Form
from dashboard.data.search import COUNTED_TO
from dashboard.data.search_rows import Page
from dashboard.frame import draw
from dashboard.language import say
from dashboard.markup import span
from dashboard.wording import count

FORM_NAMES = {Form.GALLERY: "Gallery", Form.DETAIL: "Detail", Form.TABLE: "Table"}


def form_choice(address: Address) -> None:
    """The control that chooses the form."""
    st.session_state["audit-form"] = address.form
    st.segmented_control(
        say("Show as"),
        list(Form),
        key="audit-form",
        required=True,
        format_func=lambda form: say(FORM_NAMES[form]),
        label_visibility="collapsed",
        on_change=lambda: audit_session.show_as(st.session_state["audit-form"]),
    )


def count_line(matching: int) -> None:
    """The number of matching videos, as far as it was counted."""
    if matching > COUNTED_TO:
        words = say("over {n} videos", n=count(COUNTED_TO))
    else:
        words = say("1 video") if matching == 1 else say("{n} videos", n=count(matching))
    draw(span(words, "cw-audit-count"))


def page_buttons(page: Page) -> None:
    """One page back, one page on; empty where the address leads past an end."""
    for label, key, token, icon in (
        (say("Page back"), "audit-page-back", page.before, ":material/chevron_left:"),
        (say("Page on"), "audit-page-on", page.after, ":material/chevron_right:"),
    ):
        st.button(label, key=key, icon=icon, disabled=not token, on_click=audit_session.go, args=(token,))
