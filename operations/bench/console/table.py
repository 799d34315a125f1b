"""What bench console prints for people: seconds beside their targets."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from operations.bench.console.figures import PAINT, SERVER
from operations.seat import screen

Row = Mapping[str, Any]


def show(result: Row) -> None:
    """The pages, the crowd, the alerts."""
    screen.print(_pages(result["pages"]))
    screen.print(
        f"{result['verdicts']} verdicts, {result['decisions']} decisions; {result['cores']} cores, "
        f"load {result['load_before']} before; cold: console just started, nothing in the browser's cache; warm counts"
    )
    rest = Table("together", "samples", "p50, s", "p95", "longest", "target", "", box=None)
    for name, row in _together(result["crowd"], result["alerts"]):
        rest.add_row(
            name, str(row["samples"]), *_figures(row), _text(row["max_s"]), f"<= {row['target_s']}", _mark(row)
        )
    if rest.row_count:
        screen.print(rest)
    for reason in (result["crowd"] or {}).get("failures", ()):
        screen.print(f"not opened: {reason}", markup=False)


def _pages(rows: Sequence[Row]) -> Table:
    head = [
        f"server <= {SERVER.p95_s:g} s: cold",
        "p50",
        "p95",
        "",
        f"paint <= {PAINT.p95_s:g} s: cold",
        "p50",
        "p95",
        "",
    ]
    table = Table("page", *head, box=None)
    for row in rows:
        cells = [cell for part in (row["server"], row["paint"]) for cell in _cells(part)]
        table.add_row(row["page"], *cells)
    return table


def _together(crowd: Row | None, alerts: Row | None) -> list[tuple[str, Row]]:
    rows: list[tuple[str, Row]] = []
    if crowd:
        names = {"server": f"server time, {crowd['clients']} clients", "paint": "first paint, among them"}
        rows += [(f"{name} (each page {crowd['stays_s']:g} s)", crowd[part]) for part, name in names.items()]
    if alerts:
        words = f"event to alert, {alerts['rate_per_s']:g} events/s, {alerts['never_shown']} never shown"
        rows.append((words, alerts))
    return rows


def _cells(row: Row) -> list[str]:
    return [_text(row["cold_s"]), *_figures(row), _mark(row)]


def _figures(row: Row) -> list[str]:
    return [_text(row["p50_s"]), _text(row["p95_s"])]


def _mark(row: Row) -> str:
    return "met" if row["is_met"] else "[red]missed[/]"


def _text(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2f}"
