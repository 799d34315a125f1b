"""The threads that work the ledger: some bring items, one renews their leases, one relays events, one tidies up."""

import os
import secrets
import socket
import threading
from collections.abc import Callable

import structlog

from core.clock import Clock
from core.errors import DependencyError
from core.health import Check, Health
from core.storage.items import Item, Lease
from core.storage.ledger import Ledger
from core.telemetry import EVENTS_WAITING, ITEMS, OLDEST_ITEM_S
from ingestion.erase import Eraser

IDLE_S = 0.5
"""Between two looks for work."""
RETRY_S = 1.0
"""Between two tries at a dependency that is away."""
TIDY_S = 5.0

_log = structlog.get_logger()


def owner_name(role: str) -> str:
    """Unique to this process, also among those that had its pid before."""
    return f"{role}:{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Crew:
    """Runs turns of work in threads of their own until it is told to stop; a dependency that is away is waited for.

    `/readyz` says what a thread waits for. A turn that raises anything else ends the crew: `failure` holds it, and
    whoever waits starts the process again.
    """

    def __init__(self, health: Health) -> None:
        self.stop = threading.Event()
        self.failure: BaseException | None = None
        self._health = health
        self._threads: list[threading.Thread] = []

    def add(self, name: str, turn: Callable[[], bool], *, idle_s: float = IDLE_S) -> None:
        """Start a thread that takes turns; one that returns False found nothing to do."""
        thread = threading.Thread(target=self._run, args=(name, turn, idle_s), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def wait(self) -> None:
        """Until it is told to stop, or something broke."""
        self.stop.wait()

    def finish(self, timeout_s: float) -> bool:
        """Let every thread end its turn; whether all did so in time."""
        self.stop.set()
        for thread in self._threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, name: str, turn: Callable[[], bool], idle_s: float) -> None:
        try:
            while not self.stop.is_set():
                if not self._turn(name, turn):
                    self.stop.wait(idle_s)
        except BaseException as error:  # noqa: BLE001 - the thread's outermost frame
            self.failure = error
            self.stop.set()

    def _turn(self, name: str, turn: Callable[[], bool]) -> bool:
        try:
            did = turn()
        except DependencyError as error:
            if self._health.checks().get(name, Check(ok=True)).ok:
                _log.warning("ingestion.waits", thread=name, error=str(error))
            self._health.set(name, ok=False, detail=str(error))
            self.stop.wait(RETRY_S)
            return True
        self._health.set(name, ok=True)
        return did


class Hand:
    """One pair of hands: claims an item, brings it in, claims the next."""

    def __init__(self, ledger: Ledger, lease: Lease, *, bring: Callable[[Item], None], host: str) -> None:
        self._ledger = ledger
        self._lease = lease
        self._bring = bring
        self._host = host

    def turn(self) -> bool:
        """Bring one item in; whether there was one."""
        items = self._ledger.claim(self._lease, limit=1, host=self._host)
        for item in items:
            self._bring(item)
        return bool(items)


class Tidier:
    """Counts for the metrics, and erases what nobody needs and what nobody may keep.

    Attributes:
        events: that waited for the topic at the last look.
    """

    events = 0

    def __init__(self, ledger: Ledger, eraser: Eraser, *, clock: Clock) -> None:
        self._ledger = ledger
        self._eraser = eraser
        self._clock = clock

    def turn(self) -> bool:
        """Look at everything once."""
        self._count()
        self._eraser.forget_again()
        return self._eraser.delete_doomed() > 0

    def _count(self) -> None:
        counts = self._ledger.counts()
        ITEMS.clear()
        for row in counts:
            ITEMS.labels(row.source, row.state.value, row.code or "").set(row.items)
        oldest = self._ledger.oldest_waiting()
        OLDEST_ITEM_S.set((self._clock.now() - oldest).total_seconds() if oldest else 0)
        self.events = self._ledger.waiting_events().events
        EVENTS_WAITING.set(self.events)
