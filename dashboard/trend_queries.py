"""Analytics' questions → answers: the right first, then what is remembered, then the database; draws nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from core.access import Capability, Person
from dashboard.data.trends import Trends
from dashboard.period import Choice, Period, Window
from dashboard.remembered import Known, Remembered
from dashboard.resources import resources

FRESH_S = 45.0

T = TypeVar("T")
Question = Callable[[Trends, Person, Window], T]


@dataclass(frozen=True)
class Told(Generic[T]):
    """An answer, and the window it is of: the one that is drawn with it, also once time has gone on."""

    window: Window
    value: T


def ask(person: Person, question: Question[T], choice: Choice, window: Window) -> Known[Told[T]]:
    """One block's answer, shared by all who look at the same choice.

    Raises:
        Forbidden: the person may not see verdicts; what others were told is not told either.
        StoreUnavailable: the database does not answer, and nothing is remembered.
    """
    person.require(Capability.SEE_VERDICTS)
    # By what was chosen, not by the window it means now: in an outage the last answer is of a window that has passed.
    # Days are the viewer's own: two time zones mean two windows by the same days.
    start = window.start if choice.period is Period.CUSTOM else None
    key = (getattr(question, "__name__", ""), choice, window.length, start)
    return remembered().get(key, lambda: Told(window, question(resources().trends, person, window)))


@st.cache_resource(show_spinner=False)
def remembered() -> Remembered:
    """The process's memory of answers."""
    return Remembered(resources().clock, fresh_s=FRESH_S)
