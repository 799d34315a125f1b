"""What one viewer is doing: what is open, whether the list is held, what was asked to be seen unblurred."""

from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from dashboard.alerts import Alert, Lane

VIDEO = "video"
"""The query parameter of the open alert: every alert has its own address."""
PAGE_ROWS = 20
LANE_WIDGET = "lane-choice"
_LANE = "show"

LINK_SHARE = 0.9
"""How much of a player link's life is used before it is renewed: a new link restarts the player."""

_PAUSED, _HELD, _ROWS, _CLEAR, _SEEN, _LINK = "paused", "held", "rows", "clear", "seen", "link"


def opened() -> str | None:
    """The video whose alert is open."""
    return st.query_params.get(VIDEO)


def open_alert(video_id: str | None) -> None:
    """Open an alert, or close the open one with None; what was unblurred is blurred again."""
    st.session_state.pop(_CLEAR, None)
    if video_id is None:
        st.query_params.pop(VIDEO, None)
    else:
        st.query_params[VIDEO] = video_id


def is_paused() -> bool:
    """Whether the person stopped the list."""
    return bool(st.session_state.get(_PAUSED, False))


def toggle_pause() -> None:
    """Stop the list, or let it follow again."""
    st.session_state[_PAUSED] = not is_paused()


def is_held(*, pointed_at: bool) -> bool:
    """Whether the list must not move: the person paused it, reads an alert, or points at the list."""
    return is_paused() or opened() is not None or pointed_at


def hold(fresh: Sequence[Alert], *, held: bool) -> Sequence[Alert]:
    """The rows to show: fresh ones while the list follows, those it was stopped at while it is held."""
    if not held:
        release()
        return fresh
    rows: Sequence[Alert] = st.session_state.setdefault(_HELD, fresh)
    return rows


def release() -> None:
    """Let a held list take what is new; it is held again from there."""
    st.session_state.pop(_HELD, None)


def filter_value(field: str) -> str | None:
    """What the list is narrowed to, from the widget or, before it was drawn, from the address."""
    if field in st.session_state:
        value: str | None = st.session_state[field]
        return value
    return st.query_params.get(field) or None


def lane() -> Lane:
    """The lane the address names."""
    named = st.query_params.get(_LANE)
    return Lane(named) if named in set(Lane) else Lane.ALERTS


def keep_lane() -> None:
    """Write the chosen lane into the address."""
    chosen = Lane(st.session_state[LANE_WIDGET])
    if chosen is Lane.ALERTS:
        st.query_params.pop(_LANE, None)
    else:
        st.query_params[_LANE] = chosen.value


def row_limit() -> int:
    """How many rows the list draws."""
    return int(st.session_state.get(_ROWS, PAGE_ROWS))


def show_more_rows() -> None:
    """Draw one page of rows more."""
    st.session_state[_ROWS] = row_limit() + PAGE_ROWS


def is_clear(video_id: str) -> bool:
    """Whether the person asked to see this video unblurred."""
    return bool(st.session_state.get(_CLEAR) == video_id)


def set_clear(video_id: str | None) -> None:
    """Show one video unblurred; with None, blur it again."""
    st.session_state[_CLEAR] = video_id


def player_link(video_id: str, sign: Callable[[], str], *, lives_s: float, now_s: float) -> str:
    """The open video's link: the same one on every redraw, so that the player is not restarted, until it runs out."""
    known_id, link, signed_s = st.session_state.get(_LINK, ("", "", 0.0))
    if known_id == video_id and now_s - signed_s < LINK_SHARE * lives_s:
        return str(link)
    link = sign()
    st.session_state[_LINK] = (video_id, link, now_s)
    return link


def is_first_look() -> bool:
    """True once per viewer."""
    first = not st.session_state.get(_SEEN, False)
    st.session_state[_SEEN] = True
    return first


def zone() -> tzinfo:
    """The viewer's time zone; UTC where the browser does not say."""
    try:
        return ZoneInfo(st.context.timezone) if st.context.timezone else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
