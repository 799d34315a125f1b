"""clipwarden download: works the ledger until nothing is due; Ctrl-C gives back what was not done."""

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from core.clock import SystemClock
from core.settings import Settings
from core.storage.items import OPEN_STATES, Item, ItemState
from core.storage.ledger import Ledger
from core.storage.ledger_pg import PostgresLedger
from ingestion.download import downloader
from ingestion.links import read_links
from ingestion.work import Work, working
from operations.commands.import_links import note
from operations.seat import EXIT_FAILED, load_settings, screen

app = typer.Typer()

LOOK_S = 0.5
_MOST_OPEN = 20_000
"""How many open items are asked whether they are due, those changed last first."""


@app.command()
def download(
    *,
    workers: Annotated[int | None, typer.Option(help="Downloads at a time.", min=1, max=64)] = None,
    csv: Annotated[Path | None, typer.Option(help="Note this list of links first, as `import` does.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Bring in what the ledger holds, until nothing is due. Example: clipwarden download --workers 4 --csv links.csv.

    Fails if something was refused. Start it again to go on where it stopped.
    """
    settings = _with_workers(load_settings(), workers)
    with closing(PostgresLedger(settings.store)) as ledger:
        unread = _note(ledger, csv) if csv is not None else 0
        before = _ends(ledger)
        with downloader(settings) as fetcher, working(settings, fetcher) as work:
            try:
                _follow(ledger, work)
            finally:
                # What is half-fetched is given back now rather than waited for: it is fetched whole the next time.
                work.crew.stop.set()
                fetcher.close()
        done = _ends(ledger) - before
        waiting = _open(ledger)
    _report(done, waiting, unread, as_json=as_json)
    if unread or any(done[state] for state in (ItemState.REFUSED, ItemState.FAILED)):
        raise typer.Exit(EXIT_FAILED)


def _with_workers(settings: Settings, workers: int | None) -> Settings:
    if workers is None:
        return settings
    ingestion = settings.ingestion.model_copy(update={"download_workers": workers})
    return settings.model_copy(update={"ingestion": ingestion})


def _note(ledger: Ledger, csv: Path) -> int:
    """Note a list; how many of its lines name nothing to fetch."""
    lines = read_links(csv, now=SystemClock().now(), tool=f"clipwarden {version('clipwarden')}")
    _, refused = note(ledger, lines)
    for line in refused:
        screen.print(f"refused line {line.line}: {line.code}: {line.message}", markup=False)
    return len(refused)


def _follow(ledger: Ledger, work: Work) -> None:
    """Show how far it is, until nothing is due and every event is sent, or the crew breaks."""
    began = sum(_ends(ledger).values())
    with _bar() as progress:
        task, before = progress.add_task("bringing in", waits=""), -1
        while not work.crew.stop.is_set():
            done = sum(_ends(ledger).values()) - began
            progress.update(task, completed=done, total=done + _open(ledger), waits=work.health.waiting_for())
            # Looked at one by one only when nothing moves: there may be many.
            if done == before and not _is_work(ledger):
                break
            before = done
            time.sleep(LOOK_S)
    if work.crew.failure is not None:
        raise work.crew.failure


@contextmanager
def _bar() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[waits]}", markup=False), console=screen) as progress:
        yield progress


def _is_work(ledger: Ledger) -> bool:
    """Whether an item is due or in somebody's hands, or an event waits to be sent."""
    if ledger.waiting_events().events:
        return True
    now, paused = datetime.now(UTC), ledger.paused()
    items = (item for state in OPEN_STATES for item in ledger.items(_MOST_OPEN, state=state))
    return any(_is_held(item, now) or _is_due(item, now, paused) for item in items)


def _is_held(item: Item, now: datetime) -> bool:
    return item.lease_until is not None and item.lease_until > now


def _is_due(item: Item, now: datetime, paused: frozenset[str]) -> bool:
    is_reachable = item.host in (None, socket.gethostname())
    return item.next_try <= now and item.source not in paused and is_reachable


def _ends(ledger: Ledger) -> Counter[str]:
    ended: Counter[str] = Counter()
    for row in ledger.counts():
        if row.state not in OPEN_STATES:
            ended[row.state] += row.items
    return ended


def _open(ledger: Ledger) -> int:
    return sum(row.items for row in ledger.counts() if row.state in OPEN_STATES)


def _report(done: Counter[str], waiting: int, unread: int, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"done": dict(done), "waiting": waiting, "unread_lines": unread}))
    said = ", ".join(f"{count} {state}" for state, count in sorted(done.items())) or "nothing to do"
    later = f"; {waiting} wait for another try, or for their source" if waiting else ""
    screen.print(f"{said}{later}", markup=False)
