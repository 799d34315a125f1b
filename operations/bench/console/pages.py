"""Every page, one at a time: the console's own time for it, and the time until Chromium shows it."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from rich.progress import track

from operations.bench.console.figures import PAINT, SERVER
from operations.bench.console.looks import Look
from operations.bench.console.paint import Painter
from operations.bench.console.served import Console
from operations.bench.console.visitor import Visitor
from operations.seat import screen


class Pages:
    """Opens them in turns, so that none finds what it left behind a moment ago."""

    def __init__(self, console: Console, painter: Painter, looks: Sequence[Look]) -> None:
        self.looks = looks
        self._console = console
        self._painter = painter
        self._token = console.token()
        self._chance = random.Random(0)  # noqa: S311 - the same questions each time

    def measured(self, rounds: int) -> list[dict[str, Any]]:
        """A row each: first by a console that has just started, then by one that runs."""
        cold = [self._cold(look) for look in track(self.looks, "cold", console=screen, transient=True)]
        self._rounds(self._served, 1, "warming up")
        served = self._rounds(self._served, rounds, "server time")
        painted = self._rounds(self.painted, rounds, "first paint")
        return [
            {
                "page": look.name,
                "server": {**SERVER.row(served[look]), "cold_s": round(served_s, 3)},
                "paint": {**PAINT.row(painted[look]), "cold_s": round(painted_s, 3)},
            }
            for look, (served_s, painted_s) in zip(self.looks, cold, strict=True)
        ]

    def painted(self, look: Look) -> float:
        """Seconds until it is on the screen."""
        path, query = look.path, look.query(self._chance)
        return self._painter.open(f"http://{self._console.address}/{path}?{query}", look)

    def _served(self, look: Look) -> float:
        with Visitor(self._console.address, self._token) as visitor:
            return visitor.open(look, look.query(self._chance))

    def _cold(self, look: Look) -> tuple[float, float]:
        self._console.start_anew()
        served_s = self._served(look)
        self._console.start_anew()
        self._painter.forget()
        return served_s, self.painted(look)

    def _rounds(self, measure: Callable[[Look], float], rounds: int, words: str) -> dict[Look, list[float]]:
        taken_s: dict[Look, list[float]] = {look: [] for look in self.looks}
        turns = [look for _ in range(rounds) for look in self._chance.sample(self.looks, len(self.looks))]
        for look in track(turns, words, console=screen, transient=True):
            taken_s[look].append(measure(look))
        return taken_s
