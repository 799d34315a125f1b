"""Who looks at this page: the cookie the browser brought, and whose session it is."""

import streamlit as st

from core.access import Person
from core.storage.sessions import Seat
from dashboard.resources import resources
from dashboard.seats import COOKIE


def viewer() -> Person:
    """The person whose session this is; cheap, so ask again rather than keep it.

    Raises:
        NotSignedIn: there is no session, or it ran out.
        StoreUnavailable: the database is away, and nobody was signed in here before.
    """
    return seat().person


def seat() -> Seat:
    """The viewer's session; raises as `viewer`."""
    return resources().seats.seat(token())


def token() -> str:
    """What proves the session; empty where the browser brought nothing."""
    return st.context.cookies.get(COOKIE, "")
