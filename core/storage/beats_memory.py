"""Signs of life in memory: the part of the live view's twin that knows who is at work."""

from datetime import UTC, datetime, timedelta

from core.storage.beats import Silent
from core.storage.ports import Beats, Heartbeat


class MemoryBeats:
    """Who beats, and who did.

    Args:
        ttl_s: after how long a silent process counts as gone.
    """

    def __init__(self, ttl_s: float) -> None:
        self._ttl = timedelta(seconds=ttl_s)
        self._noted: dict[tuple[str, str], tuple[datetime, Heartbeat]] = {}

    def beat(self, heartbeat: Heartbeat) -> None:
        """Note a sign of life; it runs out by itself."""
        self._noted[heartbeat.kind, heartbeat.instance] = (datetime.now(UTC), heartbeat)

    def beats(self) -> Beats:
        """Who gives signs of life, and who gave them."""
        earliest = datetime.now(UTC) - self._ttl
        known = list(self._noted.values())
        alive = tuple(beat for noted_at, beat in known if noted_at > earliest)
        gone = (beat for noted_at, beat in known if noted_at <= earliest)
        return Beats(alive, tuple(Silent(beat.kind, beat.instance, beat.at) for beat in gone))

    def forget_beats(self) -> None:
        """Lose all of them."""
        self._noted.clear()
