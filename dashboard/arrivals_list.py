"""The Ingestion page's two lists: sources to pause, resume and retry, and codes to retry."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.errors import StoreUnavailable
from core.storage.ledger import Ledger
from dashboard import queries
from dashboard.arrivals import CodeRow, SourceRow
from dashboard.arrivals_cards import code_card, source_card
from dashboard.frame import draw
from dashboard.resources import resources
from dashboard.wording import count, plural

BY = "console"
"""Who pauses, as the ledger notes it: the console knows no names."""


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
        f"Retry {count(items)}" if items else "Retry",
        key=f"retry-code-{code}" if code else f"retry-source-{source}",
        icon=":material/replay:",
        disabled=not items,
        on_click=_do,
        args=(lambda ledger: f"{plural(ledger.retry(source=source, code=code), 'item')} will be tried again.",),
    )


def _pause_button(row: SourceRow) -> None:
    label, icon = ("Resume", ":material/play_arrow:") if row.is_paused else ("Pause", ":material/pause:")
    st.button(label, key=f"pause-{row.source}", icon=icon, on_click=_do, args=(lambda ledger: _turn(ledger, row),))


def _turn(ledger: Ledger, row: SourceRow) -> str:
    if row.is_paused:
        ledger.resume(row.source)
        return "Resumed."
    ledger.pause(row.source, BY)
    return "Paused: what is under way is finished, nothing more is given out."


def _do(action: Callable[[Ledger], str]) -> None:
    """Let the ledger do it, and say what became of it; whatever it was, the page reads the ledger anew."""
    try:
        st.toast(action(resources().ledger))
    except StoreUnavailable:
        st.toast("The database does not answer; nothing was changed.", icon=":material/error:")
    queries.arrivals.clear()
