"""What holds for everybody, as the console reads and sets it: alert routes and retention, one pool for both."""

import streamlit as st

from core.storage.database import Database
from core.storage.retention import Retention
from core.storage.routes import Routes
from dashboard.resources import resources


@st.cache_resource(show_spinner=False)
def _database() -> Database:
    return Database(resources().settings.store, "rules")


def routes() -> Routes:
    """The alert routes; each call asks for the person's right."""
    return Routes(_database())


def retention() -> Retention:
    """The periods; each call asks for the person's right."""
    return Retention(_database(), default_days=resources().settings.store.retention_days)
