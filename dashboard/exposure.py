"""How much unblurred video a person saw today: the browser says that it is on the screen, the server how long."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import StoreUnavailable
from core.errors_console import AccessRefused
from core.events import Verdict
from core.labels import Action
from dashboard import queries, session, speed, watching
from dashboard.resources import resources
from dashboard.viewer import viewer

NAME = "clipwarden_watch"
SEVERITY = {Action.ALERT: 1.0, Action.REVIEW: 0.5, Action.NONE: 0.25}
"""A second of an alert counts whole, one close to a threshold half, any other a quarter."""
STEP_S = 5.0
"""Redraws come every second; after a longer silence nobody knows what was seen."""
FLUSH_S = 5.0
_JS = (Path(__file__).parent / "watch.js").read_text(encoding="utf-8")
_STATE = "exposure"


@dataclass(frozen=True)
class Seen:
    """What is counted and not yet written.

    Attributes:
        at_s: when it was looked last; None while nothing unblurred is seen.
    """

    pending_s: float = 0.0
    weight: float = 1.0
    at_s: float | None = None


def count_exposure(verdict: Verdict | None) -> None:
    """Count the time since the last redraw if an unblurred video is before the person's eyes; draws nothing to see.

    Every page with a player calls it in what it redraws by itself, after the player: the browser sets its speed. Notes
    also that the video was played, as the browser says: a player on the screen has played nothing yet.
    """
    found = _watcher()(
        key="watch",
        data={"of": verdict.video_id if verdict else "", "speed": speed.chosen()},
        default={"seen": False, "played": ""},
        on_seen_change=_noted,
        on_played_change=_noted,
    )
    if verdict is not None and found.played == verdict.video_id:
        watching.note_played(verdict.video_id)
    _count(verdict, is_seen=bool(found.seen))


def _count(verdict: Verdict | None, *, is_seen: bool) -> None:
    is_clear = verdict is not None and watching.is_clear(verdict.video_id)
    seen: Seen = st.session_state.get(_STATE, Seen())
    now_s = resources().clock.monotonic_s()
    seen = step(seen, now_s, weight=SEVERITY[verdict.action] if verdict and is_clear and is_seen else None)
    if seen.pending_s >= FLUSH_S or (seen.pending_s and seen.at_s is None):
        seen = _written(seen)
    st.session_state[_STATE] = seen


def step(seen: Seen, now_s: float, *, weight: float | None) -> Seen:
    """One look later; no weight: nothing unblurred is seen now. Time counts from the first look that saw it. Pure."""
    passed_s = min(max(now_s - seen.at_s, 0.0), STEP_S) if seen.at_s is not None else 0.0
    pending_s = min(seen.pending_s + passed_s, 60.0)
    return Seen(pending_s, seen.weight if weight is None else weight, None if weight is None else now_s)


def _written(seen: Seen) -> Seen:
    day = session.midnight(resources().clock.now(), session.zone()).date()
    try:
        resources().wellness.add_exposure(viewer(), seen.pending_s, weight=seen.weight, day=day)
    except StoreUnavailable:
        return seen
    except AccessRefused:
        return Seen()
    queries.forget_exposure()
    return Seen(0.0, seen.weight, seen.at_s)


@st.cache_resource(show_spinner=False)
def _watcher() -> Callable[..., Any]:
    watcher: Callable[..., Any] = st.components.v2.component(NAME, js=_JS)
    return watcher


def _noted() -> None:
    """The change redraws the page, which asks again; nothing else is to do."""
