"""clipwarden models push: a model and its card to a model hub."""

import json
from pathlib import Path
from typing import Annotated

import typer

from core.settings import Settings
from core.telemetry import configure_logging
from operations.seat import screen


def push(
    folder: Annotated[Path, typer.Argument(help="The folder of one model, with its card.")],
    *,
    repo: Annotated[str, typer.Option(help="owner/name on the hub; made if it is not there.")],
    private: Annotated[bool, typer.Option(help="Whether a new repository is seen by its owner alone.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Upload a model and its card to a hub. Example: clipwarden models push out/text --repo me/text-safety."""
    from models.hub import push as push_folder  # noqa: PLC0415 - no other command needs the hub's client

    settings = Settings.load()
    configure_logging(settings.telemetry.model_copy(update={"log_level": "warning"}))
    url = push_folder(
        folder, repo=repo, private=private, settings=settings.hub, max_bytes=settings.mlflow.max_model_bytes
    )
    if as_json:
        typer.echo(json.dumps({"repo": repo, "commit": url}))
    else:
        screen.print(f"{folder} is {url}", soft_wrap=True)
