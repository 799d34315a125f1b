"""Stores → what pages show, cached so that many viewers cost the stores as much as one; draws nothing.

What a right guards is asked before the cache: what one person may read must not come to another out of it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

import streamlit as st

from core.access import Capability, Person
from core.events import Verdict
from core.storage.reviews import Decision, Tally
from dashboard.arrivals import Arrivals
from dashboard.data.catalogue import View
from dashboard.data.waiting import Waits
from dashboard.data.wellness import Exposure, Wellness
from dashboard.reading import Reading
from dashboard.remembered import Known
from dashboard.resources import resources

READING_TTL_S = 0.5
VERDICT_TTL_S = 5
ARRIVALS_TTL_S = 1.5
CATALOGUE_TTL_S = 60
DECISIONS_TTL_S = 1
WELLNESS_TTL_S = 10
WAITING_TTL_S = 10


# The resource cache hands every viewer the same frozen object; st.cache_data would unpickle 500 verdicts each time.
@st.cache_resource(ttl=READING_TTL_S, show_spinner=False)
def reading() -> Reading:
    """One look at the stores; for whoever is let in, since every role may see verdicts."""
    return resources().reader.read()


def verdict(person: Person, video_id: str) -> Verdict | None:
    """A video's current verdict, from the durable record; raises as `standing`."""
    person.require(Capability.SEE_VERDICTS)
    return _verdict(video_id)


def forget_verdicts() -> None:
    """Ask the database at the next look: one is known to have changed."""
    _verdict.clear()


@st.cache_data(ttl=VERDICT_TTL_S, show_spinner=False, max_entries=1000)
def _verdict(video_id: str) -> Verdict | None:
    return resources().history.current(video_id)


def arrivals(person: Person) -> Arrivals:
    """One look at the ledger.

    Raises:
        Forbidden: the person may not see the platform.
    """
    person.require(Capability.SEE_PLATFORM)
    return _arrivals(person)


def forget_arrivals() -> None:
    """Ask the database at the next look: somebody changed something."""
    _arrivals.clear()
    resources().arrivals.forget()


@st.cache_resource(ttl=ARRIVALS_TTL_S, show_spinner=False)
def _arrivals(_person: Person) -> Arrivals:
    return resources().arrivals.read(_person)


def catalogue(person: Person) -> Known[list[View]]:
    """The reporting schema's views, and when they were read.

    Raises:
        Forbidden: the person may not query; asked before the cache, which knows no persons.
        StoreUnavailable: the database does not answer.
    """
    person.require(Capability.QUERY)
    return _catalogue(person)


@st.cache_data(ttl=CATALOGUE_TTL_S, show_spinner=False)
def _catalogue(_person: Person) -> Known[list[View]]:
    at = resources().clock.now()
    return Known(resources().catalogue.views(_person), at)


def waiting(person: Person) -> Mapping[Waits, int]:
    """How much waits on the pages this person may open; raises as `standing`."""
    person.require(Capability.SEE_VERDICTS)
    return _waiting(person.may(Capability.SEE_PLATFORM), person)


def standing(person: Person, video_ids: Iterable[str]) -> Mapping[str, Decision]:
    """The last standing decision of each of these videos that has one.

    Raises:
        Forbidden: the person may not see verdicts.
        StoreUnavailable: the database does not answer.
    """
    person.require(Capability.SEE_VERDICTS)
    wanted = tuple(sorted(video_ids))
    return _standing(wanted, person) if wanted else {}


def decisions(person: Person, video_id: str) -> list[Decision]:
    """Every decision on a video, newest first; raises as `standing`."""
    person.require(Capability.SEE_VERDICTS)
    return _decisions(video_id, person)


def forget_decisions() -> None:
    """Ask the database at the next look: somebody decided."""
    for cached in (_standing, _decisions, _tally, _waiting):
        cached.clear()


def tally(person: Person, since: datetime) -> Tally:
    """What this person decided since then; raises as `standing`."""
    return _tally(person.user_id, since, person)


def wellness(person: Person) -> Wellness:
    """How media is shown to this person; raises as `standing`."""
    person.require(Capability.SEE_VERDICTS)
    return _wellness(person.user_id, person)


def exposure(person: Person, day: date) -> Exposure:
    """What this person saw unblurred on that day of theirs; raises as `standing`."""
    return _exposure(person.user_id, day, person)


def forget_exposure() -> None:
    """Ask the database at the next look: more was seen."""
    _exposure.clear()


def forget_wellness() -> None:
    """Ask the database at the next look: somebody changed what holds."""
    _wellness.clear()


@st.cache_resource(ttl=DECISIONS_TTL_S, show_spinner=False, max_entries=200)
def _standing(video_ids: tuple[str, ...], _person: Person) -> Mapping[str, Decision]:
    return resources().reviews.standing(_person, video_ids)


@st.cache_resource(ttl=DECISIONS_TTL_S, show_spinner=False, max_entries=1000)
def _decisions(video_id: str, _person: Person) -> list[Decision]:
    return resources().reviews.of_video(_person, video_id)


@st.cache_resource(ttl=WELLNESS_TTL_S, show_spinner=False, max_entries=1000)
def _tally(user_id: str, since: datetime, _person: Person) -> Tally:
    del user_id
    return resources().reviews.tally(_person, since)


@st.cache_resource(ttl=WELLNESS_TTL_S, show_spinner=False, max_entries=1000)
def _wellness(user_id: str, _person: Person) -> Wellness:
    del user_id
    return resources().wellness.of(_person)


@st.cache_resource(ttl=WELLNESS_TTL_S, show_spinner=False, max_entries=1000)
def _exposure(user_id: str, day: date, _person: Person) -> Exposure:
    del user_id
    return resources().wellness.exposure(_person, day)


@st.cache_resource(ttl=WAITING_TTL_S, show_spinner=False)
def _waiting(sees_platform: bool, _person: Person) -> Mapping[Waits, int]:  # noqa: FBT001 - the cache's key
    del sees_platform
    return resources().waiting.counts(_person)
