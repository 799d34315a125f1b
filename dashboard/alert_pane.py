"""The right side of the live monitor: one alert with its evidence, the player blurred until the person asks."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import streamlit as st

from core.errors import ObjectsUnavailable, StoreUnavailable
from core.events import MEDIA_URI, Verdict
from dashboard import evidence, queries, session
from dashboard.alerts import Alert, neighbour
from dashboard.caption import caption
from dashboard.cards import empty, legend, processes
from dashboard.frame import draw
from dashboard.markup import Markup, span
from dashboard.reading import Reading
from dashboard.resources import resources
from dashboard.wording import MEANINGS


def alert_pane(rows: Sequence[Alert], reading: Reading, now: datetime, *, zone: tzinfo) -> None:
    """Draw the open alert; while none is open, what the marks mean and who is at work."""
    video_id = session.opened()
    with st.container(key="pane-open" if video_id else "pane-rest", gap="small"):
        if video_id is None:
            draw(empty("No alert open", "Choose one to see why it is there."))
            _section("Marks", legend(MEANINGS))
            _section("At work", processes(reading, now))
        else:
            _buttons(rows, video_id)
            _opened(rows, video_id, now, zone)


def _buttons(rows: Sequence[Alert], video_id: str) -> None:
    above, below = neighbour(rows, video_id, -1), neighbour(rows, video_id, 1)
    with st.container(horizontal=True, key="pane-buttons", gap="small", vertical_alignment="center"):
        _go("Close", None, icon=":material/close:", shortcut="Esc", disabled=False)
        _go("Previous", above, icon=":material/arrow_upward:", shortcut="K", disabled=above is None)
        _go("Next", below, icon=":material/arrow_downward:", shortcut="J", disabled=below is None)


def _go(label: str, video_id: str | None, *, icon: str, shortcut: str, disabled: bool) -> None:
    st.button(
        label,
        key=f"go-{label.lower()}",
        icon=icon,
        shortcut=shortcut,
        disabled=disabled,
        type="tertiary",
        on_click=session.open_alert,
        args=(video_id,),
    )


def _opened(rows: Sequence[Alert], video_id: str, now: datetime, zone: tzinfo) -> None:
    listed = next((row.verdict for row in rows if row.video_id == video_id), None)
    try:
        verdict = listed or queries.verdict(video_id)
    except StoreUnavailable:
        draw(
            empty(
                "This alert cannot be opened now", "It is no longer in the live view, and the database does not answer."
            )
        )
        return
    if verdict is None:
        draw(empty("No verdict for this video", "It was never scored here, or it is older than what is kept."))
        return
    _evidence(verdict, now, zone)


def _evidence(verdict: Verdict, now: datetime, zone: tzinfo) -> None:
    draw(evidence.heading(verdict, now, zone))
    draw(evidence.reasons(verdict))
    draw(caption(verdict) if verdict.caption else span("no caption", "cw-quiet"))
    _player(verdict)
    if verdict.segments:
        draw(evidence.segment_strip(verdict))
    _section("Scores", evidence.label_bars(verdict) if verdict.label_scores else None)
    _section("By modality", evidence.modality_table(verdict) if verdict.modalities else None)
    _section("Signals", evidence.signal_table(verdict) if verdict.signals else None)
    _section("Facts", evidence.facts(verdict, zone))


def _section(title: str, body: Markup | None) -> None:
    if body is not None:
        draw(evidence.section(title, body))


def _player(verdict: Verdict) -> None:
    media = MEDIA_URI.match(verdict.media_uri or "")
    if media is None:
        draw(evidence.no_player("Text-only post: there is no video."))
        return
    try:
        link = _link(verdict.video_id, media[1], media[2])
    except ObjectsUnavailable:
        draw(evidence.no_player("The video store does not answer; scores and caption are here without it."))
        return
    # st.video opens what is no web address as a file of the server.
    if not link.startswith(("http://", "https://")):
        draw(evidence.no_player("The video store gives no link that a browser can open."))
        return
    clear = session.is_clear(verdict.video_id)
    with st.container(key="player-clear" if clear else "player-blurred", gap="small"):
        st.video(link, start_time=int(evidence.worst_moment(verdict)), muted=True, autoplay=False)
        _blur_button(verdict.video_id, clear=clear)


def _link(video_id: str, bucket: str, key: str) -> str:
    found = resources()
    if found.media_probe.down_since():
        raise ObjectsUnavailable("no answer to the last ping")
    return session.player_link(
        video_id,
        lambda: found.media.presign(bucket, key),
        lives_s=found.settings.media.presign_expiry_s,
        now_s=found.clock.monotonic_s(),
    )


def _blur_button(video_id: str, *, clear: bool) -> None:
    if clear:
        st.button("Blur again", key="blur", icon=":material/blur_on:", on_click=session.set_clear, args=(None,))
    else:
        st.button(
            "Show unblurred", key="unblur", icon=":material/visibility:", on_click=session.set_clear, args=(video_id,)
        )
