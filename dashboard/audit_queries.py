"""The content audit's stores, and what of their answers is kept a while, for who has the right to it."""

import streamlit as st

from core.access import Capability, Person
from core.storage.database import Database
from dashboard.data.export import Export
from dashboard.data.search import Search
from dashboard.data.search_query import Query
from dashboard.data.search_rows import Choices
from dashboard.resources import resources

COUNT_TTL_S = 15.0
CHOICES_TTL_S = 60.0


@st.cache_resource(show_spinner=False)
def database() -> Database:
    """Connections of the audit's own: a slow search keeps no other page waiting."""
    return Database(resources().settings.store, "audit")


@st.cache_resource(show_spinner=False)
def search() -> Search:
    """The way to find videos."""
    return Search(database())


@st.cache_resource(show_spinner=False)
def export() -> Export:
    """The way to take them away."""
    return Export(database())


def count(person: Person, query: Query) -> int:
    """As Search.count, up to COUNT_TTL_S old."""
    person.require(Capability.SEE_VERDICTS)
    return _count(person, query)


def choices(person: Person) -> Choices:
    """As Search.choices, up to CHOICES_TTL_S old."""
    person.require(Capability.SEE_VERDICTS)
    return _choices(person)


# The underscore keeps the person out of the cache's key: the answer is the same for whoever may see it.
@st.cache_data(ttl=COUNT_TTL_S, max_entries=500, show_spinner=False)
def _count(_person: Person, query: Query) -> int:
    return search().count(_person, query)


@st.cache_data(ttl=CHOICES_TTL_S, show_spinner=False)
def _choices(_person: Person) -> Choices:
    return search().choices(_person)
