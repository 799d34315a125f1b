"""The video in the pane: a blurred still first, the player on request, unblurred only while that is wanted."""

from collections.abc import Callable

import streamlit as st

from core.access import Capability
from core.errors import MediaMissing, ObjectsUnavailable, PlatformError, StoreUnavailable
from core.errors_console import AccessRefused
from core.events import MEDIA_URI, Verdict
from dashboard import evidence, speed, watching
from dashboard.cards import empty
from dashboard.data.media import Look
from dashboard.data.wellness import Wellness
from dashboard.frame import draw
from dashboard.language import say, say_error
from dashboard.markup import div, span
from dashboard.resources import resources
from dashboard.still_markup import still
from dashboard.viewer import viewer

WARN_FROM = 0.5
"""A label with this score is warned of, also when another one raised the verdict."""


def player(verdict: Verdict, wellness: Wellness) -> None:
    """Draw it."""
    watching.turn_to(verdict.video_id)
    if MEDIA_URI.match(verdict.media_uri or "") is None:
        draw(evidence.no_player(say("Text-only post: there is no video.")))
    elif not viewer().may(Capability.SEE_MEDIA):
        _still(verdict, wellness)
        draw(evidence.no_player(say("Your role sees stills; the video takes a moderator.")))
    elif watching.is_playing(verdict.video_id):
        _playing(verdict, wellness)
    else:
        _before(verdict, wellness)


def warnings(verdict: Verdict, wellness: Wellness) -> list[str]:
    """The labels of this verdict that this person wants to be warned of."""
    flagged = {label for label, score in verdict.label_scores.items() if score >= WARN_FROM} | {verdict.label}
    return [label for label in wellness.warn if label in flagged]


def _before(verdict: Verdict, wellness: Wellness) -> None:
    expected = warnings(verdict, wellness)
    with st.container(key="player-still", gap="small"):
        _still(verdict, wellness)
        if watching.is_warned(verdict.video_id):
            draw(
                empty(
                    say("This video may show: {labels}", labels=", ".join(expected)),
                    say("Blurred and muted.") if wellness.muted else say("Blurred."),
                )
            )
            with st.container(horizontal=True, horizontal_alignment="center", key="warned", gap="small"):
                _button(say("Play it"), "play", "P", watching.play, verdict.video_id)
                st.button(say("Rather not"), key="rather-not", on_click=watching.warn, args=(None,))
        else:
            _button(say("Play"), "play", "P", watching.warn if expected else watching.play, verdict.video_id)


def _button(label: str, key: str, shortcut: str, then: Callable[[str], None], video_id: str) -> None:  # noqa: PLR0917 - one line a button
    st.button(label, key=key, icon=":material/play_arrow:", shortcut=shortcut, on_click=then, args=(video_id,))


def _still(verdict: Verdict, wellness: Wellness) -> None:
    if wellness.veil is not None:
        draw(div("cw-still-large", still(verdict, wellness.veil)))


def _playing(verdict: Verdict, wellness: Wellness) -> None:
    try:
        link = _link(verdict.video_id)
    except (AccessRefused, MediaMissing, ObjectsUnavailable, StoreUnavailable) as error:
        draw(evidence.no_player(_why_not(error)))
        return
    # st.video opens what is no web address as a file of the server.
    if not link.startswith(("http://", "https://")):
        draw(evidence.no_player(say("The video store gives no link that a browser can open.")))
        return
    clear = watching.is_clear(verdict.video_id)
    # Its own key for each look: the stylesheet goes by it, so that nothing flashes up before a script ran.
    grey = "-grey" if wellness.greyscale else ""
    with st.container(key=f"player-clear{grey}" if clear else f"player-blurred-{wellness.blur}{grey}", gap="small"):
        start_s = int(evidence.worst_moment(verdict))
        st.video(link, start_time=start_s, muted=wellness.muted, autoplay=wellness.autoplay)
        _blur_button(verdict.video_id, clear=clear)
    speed.speed_control(wellness.speed, speed.PLAYER, is_labelled=False)
    if _FAILED in st.session_state:
        draw(span(st.session_state[_FAILED], "cw-refused"))


def _link(video_id: str) -> str:
    found = resources()
    if found.media_probe.down_since():
        raise ObjectsUnavailable("no answer to the last ping")
    return watching.player_link(
        video_id,
        lambda look: found.raw_media.see_media(viewer(), video_id, look, visit=watching.visit()),
        lives_s=found.settings.media.presign_expiry_s,
        now_s=found.clock.monotonic_s(),
    )


def _why_not(error: PlatformError) -> str:
    if isinstance(error, AccessRefused):
        return say_error(error)
    if isinstance(error, StoreUnavailable):
        return say("The database does not answer: looks at media are recorded there, so none can be given now.")
    if isinstance(error, ObjectsUnavailable):
        return say("The video store does not answer; scores and caption are here without it.")
    return say("The video is no longer there.")


_FAILED = "unblur-failed"


def _blur_button(video_id: str, *, clear: bool) -> None:
    if clear:
        label, key, icon, then = say("Blur again"), "blur", ":material/blur_on:", _blur
    else:
        label, key, icon, then = say("Show unblurred"), "unblur", ":material/visibility:", _unblur
    st.button(label, key=key, icon=icon, shortcut="B", on_click=then, args=(video_id,))


def _blur(video_id: str) -> None:
    del video_id
    watching.set_clear(None)


def _unblur(video_id: str) -> None:
    st.session_state.pop(_FAILED, None)
    try:
        resources().raw_media.see_media(viewer(), video_id, Look.UNBLURRED, visit=watching.visit())
    except (AccessRefused, MediaMissing, StoreUnavailable) as error:
        st.session_state[_FAILED] = _why_not(error)
        return
    watching.set_clear(video_id)
