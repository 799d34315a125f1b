"""When what a page shows was read, on pages that stand still: its age goes on though nothing is read again."""

from datetime import datetime

import streamlit as st

from dashboard import cards, session
from dashboard.frame import draw
from dashboard.resources import resources

REDRAWN_EVERY_S = 10.0


def updated(at: datetime | None) -> None:
    """Draw it."""
    st.fragment(_redrawn, run_every=REDRAWN_EVERY_S)(at)


def _redrawn(at: datetime | None) -> None:
    draw(cards.updated(at, resources().clock.now(), session.zone()))
