"""What one viewer is doing: what is open, whether the list follows, which rows it shows."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from core.events import Verdict
from dashboard import watching
from dashboard.alerts import Alert, Lane

VIDEO = "video"
"""The query parameter of the open alert: every alert has its own address."""
PAGE_ROWS = 20
LANE_WIDGET = "lane-choice"
FOLLOW = "follow"
"""The query parameter, and the switch, of a list that moves by itself."""
DECIDED = "decided"
"""The query parameter, and the switch, of a list that shows decided alerts too."""
_LANE = "show"

_SUSPENDED, _HELD, _ROWS, _SEEN, _SPREAD = "suspended", "held", "rows", "seen", "spread"


def opened() -> str | None:
    """The video whose alert is open."""
    return st.query_params.get(VIDEO)


def open_alert(video_id: str | None) -> None:
    """Open an alert, or close the open one with None; its player, and what was unblurred, are gone with it."""
    watching.stop()
    if video_id is None:
        st.query_params.pop(VIDEO, None)
    else:
        st.query_params[VIDEO] = video_id


def is_following() -> bool:
    """Whether the person asked for a list that moves by itself."""
    return st.query_params.get(FOLLOW) == "1"


def keep_following() -> None:
    """Write the switch into the address; who asks to follow is no longer suspended."""
    _keep_switch(FOLLOW, "1")
    st.session_state.pop(_SUSPENDED, None)


def suspend(until_s: float | None) -> None:
    """Let nothing new in, and no sound be heard, until that instant of the monotonic clock; None ends it."""
    st.session_state[_SUSPENDED] = until_s


def suspended_for_s(now_s: float) -> float:
    """How long the list stays suspended; 0 when it is not."""
    until_s: float | None = st.session_state.get(_SUSPENDED)
    return max(0.0, until_s - now_s) if until_s is not None else 0.0


def is_held(*, pointed_at: bool, suspended: bool) -> bool:
    """Whether the list must not move: it was not asked to, or the person reads an alert, or points at the list."""
    return not is_following() or suspended or opened() is not None or pointed_at


def shows_decided() -> bool:
    """Whether alerts that somebody decided are in the list."""
    return st.query_params.get(DECIDED) != "hidden"


def keep_decided() -> None:
    """Write the switch into the address."""
    _keep_switch(DECIDED, "hidden")


def _keep_switch(name: str, value: str) -> None:
    if st.session_state.get(name):
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)


def is_spread(video_id: str) -> bool:
    """Whether the person asked to see every row of the group this video leads."""
    return video_id in st.session_state.get(_SPREAD, ())


def turn_spread(video_id: str) -> None:
    """Show a group's rows, or fold them again."""
    st.session_state[_SPREAD] = st.session_state.get(_SPREAD, frozenset()) ^ {video_id}


def hold(fresh: Sequence[Alert], *, held: bool) -> Sequence[Alert]:
    """The rows to show: fresh ones while the list follows, those it was stopped at while it is held."""
    if not held:
        release()
        return fresh
    # An empty list cannot move under anybody's cursor.
    rows: Sequence[Alert] = st.session_state.get(_HELD) or fresh
    st.session_state[_HELD] = rows
    return rows


def release() -> None:
    """Let a held list take what is new; it is held again from there."""
    st.session_state.pop(_HELD, None)


def take_row(verdict: Verdict) -> None:
    """In a held list, show this verdict of its video instead of the one that was held; no other row moves."""
    held: Sequence[Alert] = st.session_state.get(_HELD, ())
    st.session_state[_HELD] = [Alert(verdict, row.count) if row.video_id == verdict.video_id else row for row in held]


def in_place(name: str, items: Sequence[str]) -> list[str]:
    """In the order they were shown first, what is new comes last: nothing moves under the cursor."""
    known: list[str] = st.session_state.setdefault(f"order-{name}", [])
    known += [item for item in items if item not in known]
    return sorted(items, key=known.index)


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


def is_first_look() -> bool:
    """True once per viewer."""
    first = not st.session_state.get(_SEEN, False)
    st.session_state[_SEEN] = True
    return first


def midnight(now: datetime, zone: tzinfo) -> datetime:
    """When the viewer's day began."""
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def zone() -> tzinfo:
    """The viewer's time zone; UTC where the browser does not say."""
    try:
        return ZoneInfo(st.context.timezone) if st.context.timezone else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
