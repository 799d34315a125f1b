"""What one viewer plays: the open video's player, its link, whether it is blurred, which were played before."""

import uuid
from collections.abc import Callable

import streamlit as st

from dashboard.data.media import Look

LINK_SHARE = 0.9
"""How much of a player link's life is used before it is renewed: a new link restarts the player."""

_PLAYING, _WARNED, _CLEAR, _LINK = "playing", "warned", "clear", "link"
_PLAYED, _VISIT, _PAGE = "played", "visit", "watched-on"


def visit() -> str:
    """Names this session in the audit log; no secret, and nobody's token."""
    found: str = st.session_state.setdefault(_VISIT, uuid.uuid4().hex)
    return found


def is_playing(video_id: str) -> bool:
    """Whether the person asked for this video's player."""
    return bool(st.session_state.get(_PLAYING) == video_id)


def is_warned(video_id: str) -> bool:
    """Whether the person was told what to expect, and has not gone on yet."""
    return bool(st.session_state.get(_WARNED) == video_id)


def warn(video_id: str | None) -> None:
    """Say what to expect before this video is played; None: they would rather not."""
    st.session_state[_WARNED] = video_id


def play(video_id: str) -> None:
    """Show this video's player."""
    st.session_state[_WARNED] = None
    st.session_state[_PLAYING] = video_id


def note_played(video_id: str) -> None:
    """Remember that this video moved: the browser says so."""
    st.session_state[_PLAYED] = st.session_state.get(_PLAYED, frozenset()) | {video_id}


def was_played(video_id: str) -> bool:
    """Whether this video was played in this session."""
    return video_id in st.session_state.get(_PLAYED, ())


def stop() -> None:
    """Take the player away, with its link, and blur again."""
    for name in (_PLAYING, _WARNED, _CLEAR, _LINK):
        st.session_state.pop(name, None)


def turn_to(video_id: str) -> None:
    """Take another video's player away: who comes back to it begins anew."""
    others = (name for name in (_PLAYING, _WARNED, _CLEAR) if st.session_state.get(name) not in {None, video_id})
    if any(others):
        stop()


def enter(path: str) -> None:
    """Take the player away with the page it was on."""
    if st.session_state.get(_PAGE, path) != path:
        stop()
    st.session_state[_PAGE] = path


def is_clear(video_id: str) -> bool:
    """Whether the person asked to see this video unblurred."""
    return bool(st.session_state.get(_CLEAR) == video_id)


def set_clear(video_id: str | None) -> None:
    """Show one video unblurred; with None, blur it again."""
    st.session_state[_CLEAR] = video_id


def player_link(video_id: str, sign: Callable[[Look], str], *, lives_s: float, now_s: float) -> str:
    """The open video's link: the same one on every redraw, so that the player is not restarted, until it runs out."""
    known_id, link, signed_s = st.session_state.get(_LINK, ("", "", 0.0))
    is_known = known_id == video_id
    if is_known and now_s - signed_s < LINK_SHARE * lives_s:
        return str(link)
    link = sign(Look.RENEWED if is_known else Look.OPENED)
    st.session_state[_LINK] = (video_id, link, now_s)
    return link
