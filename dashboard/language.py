"""The console's words in the viewer's language: English in the code, Vietnamese in `dashboard.vietnamese`."""

from enum import StrEnum

import streamlit as st

from core.errors import PlatformError
from core.errors_console import Named
from dashboard.vietnamese import WORDS

KEY = "language"


class Language(StrEnum):
    """A language of the interface."""

    ENGLISH = "en"
    VIETNAMESE = "vi"


def language() -> Language:
    """The viewer's: as chosen, else the browser's, else English."""
    chosen = st.session_state.get(KEY)
    if chosen is None:
        chosen = (st.context.locale or "").split("-")[0]
    return Language(chosen) if chosen in set(Language) else Language.ENGLISH


def say(words: str, **values: object) -> str:
    """These words in the viewer's language, with values put in: `say("{n} new, show", n=3)`.

    The words are a literal in the code, never data. A test finds every one that Vietnamese lacks.
    """
    return say_in(language(), words, **values)


def say_error(error: PlatformError) -> str:
    """What an error tells, in the viewer's language, without its code; logs and commands keep to English."""
    values = {
        name: Named(map(say, value)) if isinstance(value, Named) else value for name, value in error.values.items()
    }
    return say(error.words, **values)


def say_in(tongue: Language, words: str, **values: object) -> str:
    """As `say`, for who is not a viewer of a Streamlit page."""
    spoken = WORDS.get(words, words) if tongue is Language.VIETNAMESE else words
    return spoken.format(**values) if values else spoken
