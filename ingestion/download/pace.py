"""How often a site is asked: downloads from one host begin a while apart, whoever does them."""

import threading
from urllib.parse import urlsplit

from core.clock import Clock

_MOST_HOSTS = 1_000


class Pace:
    """Lets downloads begin; safe to use from any thread.

    Args:
        pause_s: between two from one host; 0 lets all begin at once.
        stop: ends all waiting when it is set.
    """

    def __init__(self, pause_s: float, stop: threading.Event, *, clock: Clock) -> None:
        self._pause_s = pause_s
        self._stop = stop
        self._clock = clock
        self._lock = threading.Lock()
        self._next_s: dict[str, float] = {}

    def wait(self, link: str) -> None:
        """Return when it is the link's turn, or everything stops."""
        if self._pause_s:
            self._stop.wait(self.turn_in_s(urlsplit(link).hostname or ""))

    def turn_in_s(self, host: str) -> float:
        """Take the host's next turn; how long until then."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            if len(self._next_s) > _MOST_HOSTS:
                self._next_s = {name: at_s for name, at_s in self._next_s.items() if at_s > now_s}
            at_s = max(now_s, self._next_s.get(host, now_s))
            self._next_s[host] = at_s + self._pause_s
        return at_s - now_s
