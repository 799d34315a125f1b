"""clipwarden import: a list of links into the ledger, for `clipwarden download`."""

import json
from collections import Counter
from collections.abc import Iterable
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from core.clock import SystemClock
from core.errors_ingest import IngestForgotten
from core.storage.items import NewItem
from core.storage.ledger import Ledger
from core.storage.ledger_pg import PostgresLedger
from ingestion.links import RefusedLine, read_links
from operations.seat import EXIT_FAILED, load_settings, screen

app = typer.Typer()

BATCH = 500


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV with the columns hashtag,link,description,label.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Note a list of links; only the column link is needed. Example: clipwarden import links.csv."""
    ledger = PostgresLedger(load_settings().store)
    tool = f"clipwarden {version('clipwarden')}"
    states, refused = note(ledger, read_links(file, now=SystemClock().now(), tool=tool))
    if as_json:
        typer.echo(json.dumps({"states": states, "refused": [vars(line) for line in refused]}))
    for line in refused:
        screen.print(f"refused line {line.line}: {line.code}: {line.message}", markup=False)
    screen.print(f"{sum(states.values())} links: {', '.join(f'{count} {state}' for state, count in states.items())}")
    if refused:
        raise typer.Exit(EXIT_FAILED)


def note(ledger: Ledger, lines: Iterable[NewItem | RefusedLine]) -> tuple[dict[str, int], list[RefusedLine]]:
    """Note the items of a list, some hundreds at a time; noting the same list again adds sightings only.

    Returns:
        How many of its links are in which state by now, and the lines that were not noted.
    """
    states: Counter[str] = Counter()
    refused: list[RefusedLine] = []
    rest = iter(lines)
    while batch := list(islice(rest, BATCH)):
        refused += [line for line in batch if isinstance(line, RefusedLine)]
        items = ledger.found([item for item in batch if isinstance(item, NewItem)])
        # One that was erased on request is not kept, not even as refused.
        states.update(item.state.value if item.item_id else IngestForgotten.code for item in items)
    return dict(states), refused
