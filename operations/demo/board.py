"""The demo's screen: progress while it starts, then one line per alert over a live table of figures."""

import threading
import time
from pathlib import Path
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from core.events import Verdict
from core.labels import Action
from operations.commands.watch import COLOURS, SHAPES, line


class Board:
    """Thread-safe; prints plain lines where the screen is no terminal."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._lock = threading.Lock()
        self._started_s = time.monotonic()
        self._counts: dict[str, int] = {}
        self._posted, self._wanted = 0, 0
        self._seen: set[str] = set()
        self.first_verdict_s: float | None = None
        self.console_address = ""
        self._live = Live(get_renderable=self._table, console=screen, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        if self._screen.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._screen.is_terminal:
            self._live.stop()

    def step(self, text: str) -> None:
        """One line about what is happening, with the seconds since the start."""
        self._screen.print(f"[dim]{time.monotonic() - self._started_s:6.1f} s[/]  {text}", soft_wrap=True)

    def posted(self, count: int, wanted: int) -> None:
        """How many were posted so far."""
        with self._lock:
            self._posted, self._wanted = count, wanted

    def refused(self, path: Path, reason: str) -> None:
        """A file that was not taken."""
        self.step(f"refused {path.name}: {reason}".replace("[", "\\["))

    def decided(self, verdict: Verdict) -> None:
        """Count a verdict; an alert gets a line."""
        with self._lock:
            if verdict.verdict_id in self._seen:
                return
            self._seen.add(verdict.verdict_id)
            kind = verdict.verdict.value
            self._counts[kind] = self._counts.get(kind, 0) + 1
        if self.first_verdict_s is None:
            self.first_verdict_s = time.monotonic() - self._started_s
            self.step("first verdict")
        if verdict.action is Action.ALERT:
            self._screen.print(line(verdict), soft_wrap=True)

    def _table(self) -> Group:
        table = Table(box=None, padding=(0, 2))
        for kind in SHAPES:
            table.add_column(f"{SHAPES[kind]} {kind}", style=COLOURS[kind], justify="right")
        table.add_row(*(str(self._counts.get(kind, 0)) for kind in SHAPES))
        foot = f"posted {self._posted}/{self._wanted}   console {self.console_address}   Ctrl-C stops everything"
        return Group(Text(""), table, Text(foot, style="dim"))
