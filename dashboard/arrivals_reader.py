"""The ledger → one look at it; a database that is down raises nothing here: the last look stays, with since when."""

from collections.abc import Sequence
from dataclasses import replace

from core.access import Capability, Person
from core.clock import Clock
from core.errors import DependencyError
from core.storage.items import ItemCount
from dashboard.arrivals import ENDED_BADLY, Arrivals
from dashboard.data.intake import Intake

TROUBLED = 20
COUNTED_EVERY_S = 5.0
"""Counting reads an index of all items ever met; what moves meanwhile is in the pulse."""
COUNTED_SHARE = 10
"""Counts stand at least so many times as long as counting took: of a million items that is a while."""


class ArrivalsReader:
    """Reads the ledger, once for all viewers."""

    def __init__(self, intake: Intake, clock: Clock) -> None:
        self._intake = intake
        self._clock = clock
        self._last = Arrivals()
        self._count_again_s: float | None = None

    def read(self, person: Person) -> Arrivals:
        """One look at the ledger.

        Raises:
            Forbidden: the person may not see the platform.
        """
        person.require(Capability.SEE_PLATFORM)
        try:
            self._last = self._look(person)
        except DependencyError:
            self._last = replace(self._last, down_since=self._last.down_since or self._clock.now())
        return self._last

    def forget(self) -> None:
        """Count anew at the next look: somebody changed something."""
        self._count_again_s = None

    def _look(self, person: Person) -> Arrivals:
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        pulse = self._intake.pulse(person)
        if self._count_again_s is not None and now_s < self._count_again_s:
            return replace(self._last, pulse=pulse, at=now, down_since=None)
        counts = self._intake.counts(person)
        troubled = self._intake.troubled(person, sources, TROUBLED) if (sources := _troubled(counts)) else []
        ended_s = self._clock.monotonic_s()
        self._count_again_s = ended_s + max(COUNTED_EVERY_S, COUNTED_SHARE * (ended_s - now_s))
        return Arrivals(tuple(counts), pulse, tuple(troubled), now)


def _troubled(counts: Sequence[ItemCount]) -> list[str]:
    return sorted({row.source for row in counts if row.state in ENDED_BADLY})
