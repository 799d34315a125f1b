"""The right side of the live monitor: one alert with its evidence, its video on request, what people decided."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import streamlit as st

from core.access import Capability
from core.errors import StoreUnavailable
from core.events import Verdict
from dashboard import care, evidence, queries, session, watching
from dashboard.alerts import Alert, neighbour
from dashboard.caption import caption
from dashboard.cards import empty, legend, processes
from dashboard.decision_form import decision_form
from dashboard.exposure import count_exposure
from dashboard.frame import draw
from dashboard.language import say
from dashboard.markup import Markup, span
from dashboard.player import player
from dashboard.reading import Reading
from dashboard.viewer import viewer
from dashboard.wording import MEANINGS


def alert_pane(rows: Sequence[Alert], reading: Reading, now: datetime, *, zone: tzinfo) -> None:
    """Draw the open alert; while none is open, what the marks mean and who is at work."""
    video_id = session.opened()
    shown: Verdict | None = None
    with st.container(key="pane-open" if video_id else "pane-rest", gap="small"):
        if video_id is None:
            watching.stop()
            draw(empty(say("No alert open"), say("Choose one to see why it is there.")))
            care.day(reading, now, zone)
            section(say("Marks"), legend(MEANINGS))
            section(say("At work"), processes(reading, now))
        else:
            _buttons(rows, video_id)
            shown = _opened(rows, video_id)
            if shown is not None:
                _evidence(shown, reading, now, zone=zone)
    count_exposure(shown)


def _buttons(rows: Sequence[Alert], video_id: str) -> None:
    above, below = neighbour(rows, video_id, -1), neighbour(rows, video_id, 1)
    with st.container(horizontal=True, key="pane-buttons", gap="small", vertical_alignment="center"):
        _go("close", None, icon=":material/close:", shortcut="Esc", disabled=False)
        _go("previous", above, icon=":material/arrow_upward:", shortcut="K", disabled=above is None)
        _go("next", below, icon=":material/arrow_downward:", shortcut="J", disabled=below is None)


def _go(where: str, video_id: str | None, *, icon: str, shortcut: str, disabled: bool) -> None:
    labels = {"close": say("Close"), "previous": say("Previous"), "next": say("Next")}
    st.button(
        labels[where],
        key=f"go-{where}",
        icon=icon,
        shortcut=shortcut,
        disabled=disabled,
        type="tertiary",
        on_click=session.open_alert,
        args=(video_id,),
    )


def _opened(rows: Sequence[Alert], video_id: str) -> Verdict | None:
    listed = next((row.verdict for row in rows if row.video_id == video_id), None)
    try:
        verdict = listed or queries.verdict(viewer(), video_id)
    except StoreUnavailable:
        gone = say("It is no longer in the live view, and the database does not answer.")
        draw(empty(say("This alert cannot be opened now"), gone))
        return None
    if verdict is None:
        gone = say("It was never scored here, or it is older than what is kept.")
        draw(empty(say("No verdict for this video"), gone))
    return verdict


def _evidence(verdict: Verdict, reading: Reading, now: datetime, *, zone: tzinfo) -> None:
    draw(evidence.heading(verdict, now, zone))
    draw(evidence.reasons(verdict))
    draw(caption(verdict) if verdict.caption else span(say("no caption"), "cw-quiet"))
    player(verdict, care.wellness(reading))
    if verdict.segments:
        draw(evidence.segment_strip(verdict))
    decision_form(verdict, now, zone=zone)
    if not viewer().may(Capability.DECIDE):
        section(say("Scores"), evidence.label_bars(verdict) if verdict.label_scores else None)
    section(say("By modality"), evidence.modality_table(verdict) if verdict.modalities else None)
    section(say("Signals"), evidence.signal_table(verdict) if verdict.signals else None)
    section(say("Facts"), evidence.facts(verdict, zone))
    care.day(reading, now, zone)


def section(title: str, body: Markup | None) -> None:
    """A part of the pane under its own title; None: there is nothing to show under it."""
    if body is not None:
        draw(evidence.section(title, body))
