"""Groups as cards one below the other: still, card, the button that opens it, and the rest of its group on request."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

import streamlit as st

from core.storage.reviews import Decision
from dashboard import session
from dashboard.alerts import Alert
from dashboard.cards import card
from dashboard.data.wellness import Veil
from dashboard.frame import draw
from dashboard.groups import Group
from dashboard.language import say
from dashboard.still_markup import still
from dashboard.wording import count


def group_list(
    groups: Sequence[Group], decided: Mapping[str, Decision], now: datetime, *, zone: tzinfo, stills: Veil | None
) -> None:
    """Draw as many groups as fit, and a button for more; `stills` are blurred so, or not drawn at all."""
    place = 0
    for group in groups[: session.row_limit()]:
        spread = session.is_spread(group.lead.video_id) and bool(group.others)
        for row in group.rows if spread else (group.lead,):
            is_lead = row is group.lead
            with st.container(key=f"card-{place}", gap=None):
                if stills is not None:
                    draw(still(row.verdict, stills))
                told = decided.get(row.verdict.verdict_id)
                is_open = row.video_id == session.opened()
                draw(card(row, now, zone, selected=is_open, decision=told, group=group if is_lead else None))
                _open_button(row, place)
            place += 1
        if group.others:
            _spread_button(group, spread=spread)
    rest = len(groups) - session.row_limit()
    if rest > 0:
        more = say("Show {n} more of {all}", n=min(rest, session.PAGE_ROWS), all=count(rest))
        st.button(more, key="more", type="tertiary", on_click=session.show_more_rows)


def _open_button(row: Alert, place: int) -> None:
    label = say("Open alert {n}", n=place + 1)
    st.button(label, key=f"open-{row.video_id}", on_click=session.open_alert, args=(row.video_id,))


def _spread_button(group: Group, *, spread: bool) -> None:
    label = say("Fold") if spread else say("Show {n} like it", n=count(len(group.others)))
    icon = ":material/unfold_less:" if spread else ":material/unfold_more:"
    lead = group.lead.video_id
    with st.container(key=f"spread-of-{lead}", gap=None):
        st.button(label, key=f"spread-{lead}", icon=icon, type="tertiary", on_click=session.turn_spread, args=(lead,))
