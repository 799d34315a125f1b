"""bench console: every page over a filled store, alone and in a crowd, and how soon an alert is on a screen."""

import os
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from operations.bench.console.alerts import bench_alerts
from operations.bench.console.crowd import Habits, bench_crowd
from operations.bench.console.looks import named
from operations.bench.console.pages import Pages
from operations.bench.console.paint import Painter
from operations.bench.console.served import Console
from operations.bench.console.stores import live_view, stores
from operations.bench.filled import NAME, Filling, fill
from operations.browser import chromium
from operations.state import Site

FRESH = timedelta(hours=6)
"""An older filling is made anew: analytics' shorter periods would have nothing to count."""


@dataclass(frozen=True)
class Amount:
    """How much is measured; 0 clients or events leave their part out.

    Attributes:
        page: only those whose names hold this.
    """

    page: str = ""
    rounds: int = 20
    habits: Habits = field(default_factory=Habits)
    events: int = 200
    events_per_s: float = 2.0


def bench_console(site: Site, filling: Filling, amount: Amount, *, database: str = NAME) -> dict[str, Any]:
    """Fill a database beside the platform's own, and measure a console over it; alerts on servers of their own.

    Raises:
        ConfigError: there is no Chromium here, or no such page.
        StoreUnavailable: the platform's servers do not answer.
        DependencyError: a page did not come.
    """
    looks, load = named(amount.page), os.getloadavg()[0]
    found = stores(site, fill(site.dsn("postgres"), filling, name=database, fresh_for=FRESH))
    with tempfile.TemporaryDirectory(prefix="clipwarden-bench-") as folder, live_view(found):
        log = Path(folder) / "console.log"
        with Console(found.env, found.settings, log=log) as console, chromium() as driver:
            painter = Painter(driver)
            driver.get(console.link())
            pages = Pages(console, painter, looks)
            rows = pages.measured(amount.rounds)
            crowd = bench_crowd(console, pages, amount.habits, amount.rounds)
    return {
        "bench": "console",
        "verdicts": filling.verdicts,
        "decisions": filling.decisions,
        "cores": os.cpu_count(),
        "load_before": round(load, 2),
        "pages": rows,
        "crowd": crowd,
        "alerts": bench_alerts(amount.events, amount.events_per_s) if amount.events else None,
    }
