"""Many people at once: clients that go from page to page and stay a while, with one real browser among them."""

import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from rich.progress import track

from core.errors import DependencyError
from operations.bench.console.figures import CROWD_PAINT, CROWD_SERVER, percentile
from operations.bench.console.looks import LOOKS, Look
from operations.bench.console.pages import Pages
from operations.bench.console.served import Console
from operations.bench.console.visitor import Visitor
from operations.seat import screen

ROUNDS_ALONE = 4
"""So many rounds the browser goes alone for each that it goes in a crowd."""
ARRIVED_S = 60.0
"""Whoever has no page by then is a failure, and not waited for."""


@dataclass(frozen=True)
class Habits:
    """How many clients there are, and how long each stays on a page."""

    clients: int = 20
    stays_s: float = 5.0


@dataclass
class Told:
    """What all of them measured.

    Attributes:
        opened: seconds of server time, each page that was opened.
        refreshed: how often living parts of pages were asked for.
        failures: pages that did not come, with the reason.
    """

    opened: list[tuple[Look, float]] = field(default_factory=list)
    refreshed: int = 0
    failures: list[str] = field(default_factory=list)


class Crowd:
    """Begins with the block, ends with it.

    Args:
        address: host:port of the console.
        tokens: a session each.
    """

    def __init__(self, address: str, tokens: Sequence[str], habits: Habits) -> None:
        self._address = address
        self._stays_s = habits.stays_s
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._visit, args=(number, token), daemon=True)
            for number, token in enumerate(tokens)
        ]
        self._there: set[int] = set()
        self.told = Told()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def arrived(self) -> list[float]:
        """Wait until each has a page; seconds that all pages took until then, which count no further."""
        until_s = time.monotonic() + ARRIVED_S
        while len(self._there) < len(self._threads) and time.monotonic() < until_s:
            time.sleep(0.1)
        for number in set(range(len(self._threads))) - self._there:
            self._note_failure(f"client {number} had no page within {ARRIVED_S:.0f} s")
        with self._lock:
            first, self.told = self.told, Told(failures=self.told.failures)
        return [took_s for _, took_s in first.opened]

    def _visit(self, number: int, token: str) -> None:
        chance = random.Random(number)  # noqa: S311 - the same ways each time
        # Nobody begins together: people do not either.
        self._over.wait(chance.random() * self._stays_s)
        while not self._over.is_set():
            try:
                with Visitor(self._address, token) as visitor:
                    self._wander(visitor, number, chance)
            except (DependencyError, OSError) as error:
                self._note_failure(str(error))
                self._over.wait(1.0)

    def _wander(self, visitor: Visitor, number: int, chance: random.Random) -> None:
        while not self._over.is_set():
            look = chance.choice(LOOKS)
            took_s = visitor.open(look, look.query(chance))
            refreshed = visitor.stay(self._stays_s)
            with self._lock:
                self.told.opened.append((look, took_s))
                self._there.add(number)
                self.told.refreshed += refreshed

    def _note_failure(self, reason: str) -> None:
        with self._lock:
            self.told.failures.append(reason)


def bench_crowd(console: Console, pages: Pages, habits: Habits, rounds: int) -> dict[str, Any] | None:
    """The clients' server time and the browser's first paint, all pages together; None without clients."""
    if not habits.clients:
        return None
    tokens = [console.token() for _ in range(habits.clients)]
    turns = [look for _ in range(max(1, rounds // ROUNDS_ALONE)) for look in pages.looks]
    with Crowd(console.address, tokens, habits) as crowd:
        arrived = crowd.arrived()
        painted = [(look, pages.painted(look)) for look in track(turns, "a crowd", console=screen, transient=True)]
    told = crowd.told
    return {
        "clients": habits.clients,
        "stays_s": habits.stays_s,
        "arrival_p95_s": percentile(arrived, 95),
        "refreshed": told.refreshed,
        "failures": told.failures[:10],
        "server": {**CROWD_SERVER.row([took_s for _, took_s in told.opened]), "p95_s_of": _by_page(told.opened)},
        "paint": {**CROWD_PAINT.row([took_s for _, took_s in painted]), "p95_s_of": _by_page(painted)},
    }


def _by_page(opened: Sequence[tuple[Look, float]]) -> Mapping[str, float | None]:
    return {look.name: percentile([took_s for other, took_s in opened if other is look], 95) for look in LOOKS}
