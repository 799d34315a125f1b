"""One video of the answer in detail: its evidence, and everything that ever happened to it."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import streamlit as st

from core.access import Person
from core.events import Verdict
from dashboard import audit_queries, audit_session, care, evidence, queries, session
from dashboard.alert_pane import section
from dashboard.audit_address import Address, Form
from dashboard.audit_cards import story
from dashboard.caption import caption
from dashboard.cards import empty
from dashboard.data.search_rows import Page
from dashboard.exposure import count_exposure
from dashboard.frame import draw
from dashboard.language import say
from dashboard.markup import span
from dashboard.player import player
from dashboard.resources import resources


def detail(person: Person, page: Page, address: Address, *, now: datetime, zone: tzinfo) -> None:
    """Draw the video that the address names, else the first of the page."""
    ids = [row.video_id for row in page.rows]
    video_id = address.video or (ids[0] if ids else "")
    _buttons(ids, video_id)
    if not video_id:
        return
    verdict = audit_queries.search().verdict(person, video_id)
    with st.container(key="audit-detail"):
        if verdict is None:
            draw(
                empty(
                    say("No verdict for this video"), say("It was never scored here, or it is older than what is kept.")
                )
            )
            return
        left, right = st.columns([3, 2], gap="medium")
        with left, st.container(key="audit-evidence"):
            _evidence(verdict, now, zone)
            draw(story(audit_queries.search().story(person, video_id), zone))
        with right, st.container(key="audit-scores"):
            _scores(verdict, zone)


def _buttons(ids: Sequence[str], video_id: str) -> None:
    at = ids.index(video_id) if video_id in ids else -1
    with st.container(horizontal=True, vertical_alignment="center", key="audit-steps", gap="small"):
        st.button(
            say("Back to the gallery"),
            key="audit-back",
            icon=":material/grid_view:",
            shortcut="Esc",
            type="tertiary",
            on_click=audit_session.show_as,
            args=(Form.GALLERY,),
        )
        _step(say("Previous"), ids[at - 1] if at > 0 else "", icon=":material/arrow_upward:", shortcut="K")
        _step(say("Next"), ids[at + 1] if at + 1 < len(ids) else "", icon=":material/arrow_downward:", shortcut="J")
        if at >= 0:
            draw(span(say("{n} of {total} on this page", n=at + 1, total=len(ids)), "cw-quiet"))


def _step(label: str, video_id: str, *, icon: str, shortcut: str) -> None:
    st.button(
        label,
        key=f"audit-step-{shortcut}",
        icon=icon,
        shortcut=shortcut,
        type="tertiary",
        disabled=not video_id,
        on_click=audit_session.open_video,
        args=(video_id,),
    )


def _evidence(verdict: Verdict, now: datetime, zone: tzinfo) -> None:
    draw(evidence.heading(verdict, now, zone))
    draw(evidence.reasons(verdict))
    draw(caption(verdict) if verdict.caption else span(say("no caption"), "cw-quiet"))
    # By itself, as on the live monitor: a link runs out, and time passes while an unblurred video is looked at.
    st.fragment(_media, run_every=resources().settings.dashboard.refresh_s)(verdict)
    if verdict.segments:
        draw(evidence.segment_strip(verdict))


def _media(verdict: Verdict) -> None:
    reading = queries.reading()
    player(verdict, care.wellness(reading))
    count_exposure(verdict)
    care.day(reading, resources().clock.now(), session.zone())


def _scores(verdict: Verdict, zone: tzinfo) -> None:
    section(say("Scores"), evidence.label_bars(verdict) if verdict.label_scores else None)
    section(say("By modality"), evidence.modality_table(verdict) if verdict.modalities else None)
    section(say("Signals"), evidence.signal_table(verdict) if verdict.signals else None)
    section(say("Facts"), evidence.facts(verdict, zone))
