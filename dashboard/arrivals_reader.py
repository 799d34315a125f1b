"""The ledger → one look at it; a database that is down raises nothing here: the last look stays, with since when."""

from dataclasses import replace

from core.clock import Clock
from core.errors import DependencyError
from core.storage.ledger import ItemState, Ledger
from dashboard.arrivals import Arrivals

RECENT = 500
TROUBLED = 20


class ArrivalsReader:
    """Reads the ledger for all viewers."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._last = Arrivals()

    def read(self) -> Arrivals:
        """One look at the ledger."""
        try:
            self._last = self._look()
        except DependencyError:
            self._last = replace(self._last, down_since=self._last.down_since or self._clock.now())
        return self._last

    def _look(self) -> Arrivals:
        ledger = self._ledger
        ended = (ledger.items(TROUBLED, state=state) for state in (ItemState.REFUSED, ItemState.FAILED))
        troubled = sorted((item for items in ended for item in items), key=lambda item: item.updated_at, reverse=True)
        return Arrivals(
            counts=tuple(ledger.counts()),
            paused=ledger.paused(),
            troubled=tuple(troubled[:TROUBLED]),
            recent=tuple(ledger.items(RECENT, state=ItemState.POSTED)),
            recent_limit=RECENT,
            oldest_waiting=ledger.oldest_waiting(),
            unsent=ledger.waiting_events().events,
        )
