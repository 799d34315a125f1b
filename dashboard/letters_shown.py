"""Which dead letters stand on one viewer's screen: those they were shown, until they ask for others or follow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import streamlit as st

from core.errors import StoreUnavailable
from dashboard import session
from dashboard.data.dead_letters import LetterLine
from dashboard.resources import resources
from dashboard.viewer import viewer
from dashboard.watched import soon

PAGE = 20
_SHOWN = "letters-shown"


@dataclass(frozen=True)
class Shown:
    """A page of the list as it stands.

    Attributes:
        code: the list is narrowed to; None: all.
        since: whatever died later is new to the viewer.
        newer: how many are.
        at: when it was read; long ago while the database does not answer.
    """

    code: str | None
    page: int
    lines: tuple[LetterLine, ...]
    since: datetime
    newer: int
    at: datetime


def shown(code: str | None, page: int, newest_at: datetime) -> Shown:
    """The page that stands on the screen, each letter as it is now; a fresh one where none stands.

    Args:
        code: to narrow it to.
        page: from 0.
        newest_at: when the newest letter died that is counted.

    Raises:
        StoreUnavailable: the database does not answer, and nothing stands there yet.
    """
    held: Shown | None = st.session_state.get(_SHOWN)
    if held is None or session.is_following() or (held.code, held.page) != (code, page):
        return _keep(_fresh(code, page, newest_at))
    try:
        return _keep(_again(held) or _fresh(code, page, newest_at))
    except StoreUnavailable:
        return held


def release() -> None:
    """Show the newest at the next draw."""
    st.session_state.pop(_SHOWN, None)


def _keep(found: Shown) -> Shown:
    st.session_state[_SHOWN] = found
    return found


def _fresh(code: str | None, page: int, newest_at: datetime) -> Shown:
    person, letters, at = viewer(), resources().platform.letters, resources().clock.now()
    lines = soon(lambda: letters.page(person, code=code, skip=PAGE * page, limit=PAGE))
    return Shown(code, page, tuple(lines), _newest(lines, newest_at), newer=0, at=at)


def _again(held: Shown) -> Shown | None:
    """The same letters as they are now; None where none of them is left."""
    person, letters, at = viewer(), resources().platform.letters, resources().clock.now()
    keys = [line.key() for line in held.lines]
    lines, newer = soon(lambda: letters.again(person, keys, code=held.code, since=held.since))
    return replace(held, lines=tuple(lines), newer=newer, at=at) if lines else None


def _newest(lines: Sequence[LetterLine], newest_at: datetime) -> datetime:
    return max(newest_at, *(line.died_at for line in lines)) if lines else newest_at
