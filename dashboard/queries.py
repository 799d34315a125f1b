"""Stores → what pages show, cached so that many viewers cost the stores as much as one; draws nothing."""

import streamlit as st

from core.events import Verdict
from dashboard.arrivals import Arrivals
from dashboard.reading import Reading
from dashboard.resources import resources

READING_TTL_S = 0.5
VERDICT_TTL_S = 5
ARRIVALS_TTL_S = 1.5


# The resource cache hands every viewer the same frozen object; st.cache_data would unpickle 500 verdicts each time.
@st.cache_resource(ttl=READING_TTL_S, show_spinner=False)
def reading() -> Reading:
    """One look at the stores."""
    return resources().reader.read()


@st.cache_data(ttl=VERDICT_TTL_S, show_spinner=False, max_entries=1000)
def verdict(video_id: str) -> Verdict | None:
    """A video's current verdict, from the durable record.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    return resources().history.current(video_id)


@st.cache_resource(ttl=ARRIVALS_TTL_S, show_spinner=False)
def arrivals() -> Arrivals:
    """One look at the ledger."""
    return resources().arrivals.read()
