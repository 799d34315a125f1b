"""clipwarden bench path | flow | decode | sinks: speed and memory with their baseline in the same run."""

import json
from pathlib import Path
from typing import Annotated

import typer

from core.settings import process_environment
from operations.bench.flow import bench_flow
from operations.bench.path import bench_path
from operations.seat import screen

app = typer.Typer(no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


@app.callback()
def bench() -> None:
    """Measures on servers of its own, thrown away afterwards. Example: clipwarden bench flow --json."""


@app.command()
def path(
    *,
    clips: Annotated[int, typer.Option(help="How many clips a run.", min=16, max=100_000)] = 120,
    as_json: AsJson = False,
) -> None:
    """Real clips through everything, beside one video at a time. Example: clipwarden bench path --clips 120 --json."""
    data = process_environment().get("CLIPWARDEN_DEMO_DATA")
    report(bench_path(clips, Path(data) if data else None), as_json=as_json)


@app.command()
def flow(
    *,
    events: Annotated[int, typer.Option(help="How many events.", min=1_000, max=5_000_000)] = 60_000,
    as_json: AsJson = False,
) -> None:
    """Events/s with null decode and null infer, beside a bare copy. Example: clipwarden bench flow --events 200000."""
    report(bench_flow(events), as_json=as_json)


def report(result: dict[str, object], *, as_json: bool) -> None:
    """One JSON object on stdout, or lines for people."""
    if as_json:
        typer.echo(json.dumps(result))
        return
    for name, value in result.items():
        screen.print(f"  {name:<28} {value}")
