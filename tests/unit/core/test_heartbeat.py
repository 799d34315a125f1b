import threading
from datetime import UTC, datetime

from structlog.testing import capture_logs

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


def test_silence_before_the_first_answer_is_no_trouble_for_who_starts_the_view() -> None:
    for is_up, troubles in ((False, 0), (True, 1)):
        live = _Live(deaf_beats=2)
        with capture_logs() as said, HeartbeatThread(live, _make, 0.01, is_up=is_up):
            assert live.heard.wait(5)
            live.heard.clear()
            live.deaf_beats, live.calls = 1, 0
            assert live.heard.wait(5)
        assert [one["event"] for one in said].count("heartbeat.unheard") == 1 + troubles
