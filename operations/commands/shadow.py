"""clipwarden models shadow: how far challengers and champions were apart on the posts that both scored."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Annotated

import typer
from rich.table import Table

from core.storage.history import TimescaleHistory
from core.storage.shadow import Disagreement
from operations.seat import load_settings, screen


def shadow(
    *,
    hours: Annotated[int, typer.Option(min=1, max=24 * 366, help="How far back to look.")] = 24 * 7,
    by_hour: Annotated[bool, typer.Option("--by-hour", help="A line per hour.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Challengers beside champions on sampled posts. Example: clipwarden models shadow --hours 24."""
    history = TimescaleHistory(load_settings().store)
    try:
        found = history.disagreement(datetime.now(UTC) - timedelta(hours=hours))
    finally:
        history.close()
    rows = found if by_hour else add_up(found)
    if as_json:
        typer.echo(json.dumps({"shadow": [{**asdict(row), "hour": row.hour.isoformat()} for row in rows]}))
    elif rows:
        screen.print(_table(rows))
    else:
        screen.print(f"no post of the last {hours} h was scored in shadow; models register makes a challenger")


def add_up(hours: Sequence[Disagreement]) -> list[Disagreement]:
    """One row per champion and challenger; its `hour` is the first."""
    ordered = sorted(hours, key=lambda row: (*_pair(row), row.hour))
    return [_sum(list(rows)) for _, rows in groupby(ordered, _pair)]


def _pair(row: Disagreement) -> tuple[str, str, str]:
    return row.modality, row.challenger, row.champion


def _sum(rows: Sequence[Disagreement]) -> Disagreement:
    first, sampled, disagree = rows[0], sum(row.sampled for row in rows), sum(row.disagree for row in rows)
    return Disagreement(
        hour=first.hour,
        modality=first.modality,
        champion=first.champion,
        challenger=first.challenger,
        sampled=sampled,
        disagree=disagree,
        rate=disagree / sampled,
        mean_difference=sum(row.mean_difference * row.sampled for row in rows) / sampled,
    )


def _table(rows: Sequence[Disagreement]) -> Table:
    table = Table("challenger", "champion", "since", "sampled", "disagree", "rate", "mean difference", box=None)
    for row in rows:
        counts = (str(row.sampled), str(row.disagree), f"{row.rate:.2%}", f"{row.mean_difference:.4f}")
        table.add_row(row.challenger, row.champion, f"{row.hour:%Y-%m-%d %H:00}", *counts)
    return table
