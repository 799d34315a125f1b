"""What every page stands in: title, theme's stylesheet, brand; and the one call that hands HTML to Streamlit."""

from pathlib import Path

import streamlit as st

from dashboard.markup import Markup

HERE = Path(__file__).parent


def frame() -> None:
    """Set up the page; called once, before anything is drawn."""
    st.set_page_config("Clipwarden", page_icon=HERE / "mark.svg", layout="wide", initial_sidebar_state="auto")
    st.html(HERE / "style.css")
    for sheet in sorted((HERE / "styles").glob("*.css")):
        st.html(sheet)
    st.logo(HERE / "mark.svg", size="small")


def titled(title: str) -> None:
    """A block's title."""
    st.subheader(title, anchor=False)


def draw(markup: Markup) -> None:
    """Put HTML on the page; it comes from dashboard.markup, so its text is escaped."""
    st.html(markup)
