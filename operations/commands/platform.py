"""clipwarden up | down | status | doctor."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from operations.doctor import doctor as examine
from operations.doctor_ingestion import delete_orphans
from operations.embedded import control
from operations.people import first_entry
from operations.seat import load_settings, root, screen
from operations.state import MAX_WORKERS, Plan, Site
from operations.state import settings as site_settings

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def show_progress(name: str, state: str) -> None:
    """One line per change of a process."""
    screen.print(f"  {name:<12} {state}")


@app.command()
def up(
    flows: Annotated[int, typer.Option(help="Scoring processes.", min=0, max=8)] = 1,
    *,
    worker: Annotated[bool, typer.Option(help="Run the inference worker.")] = True,
    workers: Annotated[int, typer.Option(help="How many of them: one per GPU.", min=1, max=MAX_WORKERS)] = 1,
    dashboard: Annotated[bool, typer.Option(help="Run the console.")] = True,
    ingestion: Annotated[bool, typer.Option(help="Run the worker that fetches links.")] = True,
    gateway: Annotated[bool, typer.Option(help="Run the HTTP gateway.")] = False,
    router: Annotated[bool, typer.Option(help="Run what sends alerts to routes.")] = True,
    as_json: AsJson = False,
) -> None:
    """Start the platform in the background. Example: clipwarden up --flows 2."""
    plan = Plan(
        worker=worker,
        workers=workers,
        flows=flows,
        dashboard=dashboard,
        ingestion=ingestion,
        gateway=gateway,
        router=router,
    )
    addresses = control.up(root(), plan, on_progress=show_progress)
    first = first_entry(site_settings(Site.load(root()))) if dashboard else None
    if as_json:
        typer.echo(json.dumps(addresses))
    else:
        for name, address in addresses.items():
            screen.print(f"  {name:<12} {address}")
    if first:
        screen.print("sign in as the first admin, once, with this link; another: clipwarden users link admin")
        screen.print(first, soft_wrap=True)


@app.command()
def down(
    *, purge: Annotated[bool, typer.Option("--purge", help="Also delete the data of .clipwarden/.")] = False
) -> None:
    """Stop the platform. Example: clipwarden down --purge."""
    stopped = control.down(root(), purge=purge)
    screen.print(f"stopped: {', '.join(stopped) or 'nothing was running'}")


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """What runs, where, since when. Example: clipwarden status --json."""
    rows = control.status(root())
    if as_json:
        typer.echo(json.dumps({"processes": [asdict(row) for row in rows]}, default=str))
        return
    table = Table("process", "state", "pid", "port", "since", "restarts", "data", box=None)
    for row in rows:
        size = f"{row.data_bytes / 1e6:.1f} MB" if row.data_bytes else ""
        since = row.since.astimezone().strftime("%H:%M:%S")
        table.add_row(row.name, row.state, str(row.pid or ""), str(row.port or ""), since, str(row.restarts), size)
    screen.print(table if rows else "nothing runs here; start with: clipwarden up")


@app.command()
def doctor(
    *,
    orphans: Annotated[bool, typer.Option("--delete-orphans", help="First delete objects that nothing knows.")] = False,
    as_json: AsJson = False,
) -> None:
    """What is wrong, why, and what to do. Example: clipwarden doctor."""
    if orphans:
        screen.print(f"deleted {delete_orphans(load_settings())} objects")
    findings = examine(root())
    if as_json:
        typer.echo(json.dumps({"findings": [asdict(finding) for finding in findings]}, default=str))
    else:
        for finding in findings:
            screen.print(str(finding), markup=False)
    if any(finding.level == "bad" for finding in findings):
        raise typer.Exit(1)
