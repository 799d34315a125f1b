"""Whose session a token is, asked of the database at most every few seconds; pages and routes ask here."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from core.clock import Clock
from core.errors import StoreUnavailable
from core.errors_console import NotSignedIn
from core.storage.sessions import Seat

COOKIE = "clipwarden_session"
CHECK_EVERY_S = 3.0
OUTAGE_EVERY_S = 10.0
"""How often the database is asked while it is away: each time somebody waits for it."""
OUTAGE_GRACE_S = 900.0
"""How long a session that was good goes on while the database is away: nobody can end it there either."""
MAX_KNOWN = 2000


class SessionStore(Protocol):
    """Where sessions are."""

    def seat(self, token: str) -> Seat:
        """Whose it is; raises NotSignedIn, StoreUnavailable."""


@dataclass(frozen=True)
class _Known:
    seat: Seat
    seen_s: float
    asked_s: float


class Seats:
    """The sessions this process has seen lately; safe to share between threads."""

    def __init__(self, sessions: SessionStore, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def seat(self, token: str) -> Seat:
        """Whose session this is.

        Raises:
            NotSignedIn: nobody's, or it ended: at the latest CHECK_EVERY_S ago.
            StoreUnavailable: the database is away, and this session was not seen before.
        """
        now_s = self._clock.monotonic_s()
        known = self._recall(token)
        if known is None or now_s - known.asked_s >= CHECK_EVERY_S:
            known = self._ask(token, known, now_s)
            self._remember(token, known)
        return _still(known.seat, self._clock.now())

    def forget(self, token: str) -> None:
        """Ask the database at the next call."""
        with self._lock:
            self._known.pop(token, None)

    def _ask(self, token: str, known: _Known | None, now_s: float) -> _Known:
        try:
            return _Known(self._sessions.seat(token), now_s, now_s)
        except NotSignedIn:
            self.forget(token)
            raise
        except StoreUnavailable:
            if known is None or now_s - known.seen_s >= OUTAGE_GRACE_S:
                raise
            # Counted from the answer: each redraw would wait for a database that is away.
            return replace(known, asked_s=self._clock.monotonic_s() + OUTAGE_EVERY_S - CHECK_EVERY_S)

    def _recall(self, token: str) -> _Known | None:
        with self._lock:
            return self._known.get(token)

    def _remember(self, token: str, known: _Known) -> None:
        with self._lock:
            self._known[token] = known
            self._known.move_to_end(token)
            if len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)


def _still(seat: Seat, now: datetime) -> Seat:
    if now >= seat.expires_at:
        raise NotSignedIn("the session ran out; sign in")
    return seat
