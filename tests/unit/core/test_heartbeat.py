import threading
from datetime import UTC, datetime

from core.errors import CacheUnavailable
from core.heartbeat import HeartbeatThread
from core.storage.ports import Heartbeat


class _Live:
    """Refuses the first beats, then hears."""

    def __init__(self, deaf_beats: int) -> None:
        self.deaf_beats = deaf_beats
        self.calls = 0
        self.heard = threading.Event()

    def beat(self, heartbeat: Heartbeat) -> None:
        self.calls += 1
        if self.calls <= self.deaf_beats:
            raise CacheUnavailable("refused")
        self.heard.set()


def _make() -> Heartbeat:
    return Heartbeat("worker", "0", "ready", "1", datetime.now(UTC))


def test_beats_go_on_after_the_view_was_down() -> None:
    live = _Live(deaf_beats=2)

    with HeartbeatThread(live, _make, 0.01):
        assert live.heard.wait(5)

    assert live.calls >= 3
