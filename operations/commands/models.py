"""clipwarden models: what is served."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.settings import Settings
from models.bundle import STARTER, load_bundle
from operations.commands import registry
from operations.commands.evaluate import evaluate
from operations.commands.push import push
from operations.commands.retrain import retrain
from operations.commands.shadow import shadow
from operations.seat import screen

app = typer.Typer(no_args_is_help=True)
app.command()(evaluate)
app.command()(push)
app.command()(retrain)
app.command()(shadow)
app.add_typer(registry.app)


@app.callback()
def models() -> None:
    """The models that are served. Example: clipwarden models list."""


@app.command("list")
def list_(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of model folders; default: what would be served.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Each modality's model, its version and labels. Example: clipwarden models list --json."""
    folder = folder or Settings.load().serving.models_dir or STARTER
    served = load_bundle(folder).served
    versions = dict(part.split(":", 1) for part in served.model_version.split("|"))
    registered = registry.registered()
    if as_json:
        body = {"folder": str(folder), "model_version": served.model_version, "labels": served.labels}
        rows = [registry.as_row(version) for version in registered]
        typer.echo(json.dumps({**body, "fusion_passed_gate": served.fusion_passed_gate, "registered": rows}))
        return
    table = Table("modality", "version", "labels", box=None)
    for modality, version in versions.items():
        table.add_row(modality, version, ", ".join(served.labels.get(modality, ())))
    screen.print(table)
    screen.print(f"folder {folder}; fusion {'passed' if served.fusion_passed_gate else 'did not pass'} its gate")
    if registered:
        registry.print_versions(registered)
