"""The Ingestion page's two lists: sources to pause, resume and retry, and codes to retry."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from core.access import Person
from core.errors import StoreUnavailable
from core.errors_console import AccessRefused
from dashboard import queries
from dashboard.arrivals import CodeRow, SourceRow
from dashboard.arrivals_cards import code_card, source_card
from dashboard.data.intake import Intake
from dashboard.frame import draw
from dashboard.language import say, say_error
from dashboard.resources import resources
from dashboard.viewer import viewer
from dashboard.wording import count

Action = Callable[[Intake, Person], str]
"""Does something and says what became of it."""


def source_list(rows: Sequence[SourceRow]) -> None:
    """One row per source with what can be done about it."""
    with st.container(key="sources", gap=None):
        for place, row in enumerate(rows):
            with st.container(key=f"source-{place}", horizontal=True, vertical_alignment="center", gap="small"):
                draw(source_card(row))
                _retry_button(row.troubled, source=row.source)
                _pause_button(row)


def code_list(rows: Sequence[CodeRow]) -> None:
    """One row per code."""
    with st.container(key="codes", gap=None):
        for place, row in enumerate(rows):
            with st.container(key=f"code-{place}", horizontal=True, vertical_alignment="center", gap="small"):
                draw(code_card(row))
                _retry_button(row.items, code=row.code)


def _retry_button(items: int, *, source: str | None = None, code: str | None = None) -> None:
    # Without a source's or code's name: a label is read as Markdown, and names are data.
    st.button(
        say("Retry {n}", n=count(items)) if items else say("Retry"),
        key=f"retry-code-{code}" if code else f"retry-source-{source}",
        icon=":material/replay:",
        disabled=not items,
        on_click=_do,
        args=(partial(_retry, source=source, code=code),),
    )


def _pause_button(row: SourceRow) -> None:
    label, icon = (say("Resume"), ":material/play_arrow:") if row.is_paused else (say("Pause"), ":material/pause:")
    st.button(label, key=f"pause-{row.source}", icon=icon, on_click=_do, args=(partial(_turn, row=row),))


def _retry(intake: Intake, person: Person, *, source: str | None, code: str | None) -> str:
    items = intake.retry(person, source=source, code=code)
    if items == 1:
        return say("1 item will be tried again.")
    return say("{n} items will be tried again.", n=count(items))


def _turn(intake: Intake, person: Person, *, row: SourceRow) -> str:
    if row.is_paused:
        intake.resume(person, row.source)
        return say("Resumed.")
    intake.pause(person, row.source)
    return say("Paused: what is under way is finished, nothing more is given out.")


def _do(action: Action) -> None:
    """Do it as who clicked, and say what became of it; whatever it was, the page reads the ledger anew."""
    try:
        st.toast(action(resources().intake, viewer()))
    except AccessRefused as error:
        st.toast(say_error(error), icon=":material/error:")
    except StoreUnavailable:
        st.toast(say("The database does not answer; nothing was changed."), icon=":material/error:")
    queries.forget_arrivals()
