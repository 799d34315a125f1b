"""Settings, Retention: choosing other periods, confirmed by the number of rows they delete."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from core.access import Person
from core.errors_console import AccessRefused, SettingRefused
from core.storage.periods import LONGEST_DAYS, SHORTEST_DAYS, Kept, Periods, wanted
from dashboard.data import rules
from dashboard.frame import draw
from dashboard.language import say, say_error
from dashboard.resources import resources
from dashboard.retention_cards import kept_words, preview_line
from dashboard.viewer import viewer

COUNT_HOLDS = timedelta(minutes=10)
"""A count older than this is made again before it can be confirmed."""

_PREVIEW = "retention-preview"


@dataclass(frozen=True)
class _Preview:
    """What a choice would have deleted at an instant."""

    before: Periods
    chosen: Periods
    at: datetime
    going: Mapping[Kept, int]


def choice(person: Person, before: Periods) -> None:
    """Draw it; `before` are the periods that hold."""
    columns = st.columns(len(Kept))
    days = {
        kind.value: column.number_input(
            say("{what}, days", what=kept_words(kind)),
            SHORTEST_DAYS,
            LONGEST_DAYS,
            getattr(before, kind.value),
            key=f"days-{kind.value}",
        )
        for kind, column in zip(Kept, columns, strict=True)
    }
    chosen = wanted(**days)
    if chosen == before:
        draw(preview_line({}, before, chosen))
        return
    preview = _preview(person, before, chosen)
    draw(preview_line(preview.going, before, chosen))
    _confirm(preview)


def _preview(person: Person, before: Periods, chosen: Periods) -> _Preview:
    """What the choice deletes, counted once: on a live stream the number would change while it is typed."""
    known: _Preview | None = st.session_state.get(_PREVIEW)
    now = resources().clock.now()
    if known is None or (known.before, known.chosen) != (before, chosen) or now - known.at > COUNT_HOLDS:
        known = _Preview(before, chosen, now, rules.retention().would_delete(person, chosen, now))
        st.session_state[_PREVIEW] = known
    return known


def _confirm(preview: _Preview) -> None:
    rows = sum(preview.going.values())
    typed = str(rows)
    if rows:
        typed = st.text_input(say("Type {n} to confirm", n=rows), key="confirm-retention").strip()
    if st.button(say("Save periods"), type="primary", disabled=typed != str(rows), key="choose-retention"):
        st.session_state.pop(_PREVIEW, None)
        try:
            # As of the count: what was confirmed is what is compared.
            rules.retention().choose(viewer(), preview.chosen, preview.at, confirmed_rows=rows)
        except (SettingRefused, AccessRefused) as error:
            st.text(say_error(error))
            return
        st.rerun()
