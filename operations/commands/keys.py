"""clipwarden keys make | show: who may speak to a worker over a network."""

import json
from pathlib import Path
from typing import Annotated

import typer

from models.curve import make_keys, read_keys
from operations.seat import screen

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


@app.command()
def make(
    name: Annotated[str, typer.Argument(help="Whose: worker (all workers share one), or a name per flow or host.")],
    *,
    folder: Annotated[Path, typer.Option(help="Where to; made if it is not there.")] = Path("keys"),
    as_json: AsJson = False,
) -> None:
    """Write NAME.key, secret, and NAME.pub. Example: clipwarden keys make worker && clipwarden keys make flows.

    The worker gets worker.key and a folder with flows.pub; the flows get flows.key and worker.pub. Secret keys stay on
    the host they are for; docs/operations.md names the settings.
    """
    secret, public = make_keys(folder, name)
    if as_json:
        typer.echo(json.dumps({"secret": str(secret), "public": str(public)}))
    else:
        screen.print(f"{secret} is secret: keep it where it is used\n{public} is for the other side", soft_wrap=True)


@app.command()
def show(
    secret: Annotated[Path, typer.Argument(help="A .key file.")],
    *,
    as_json: AsJson = False,
) -> None:
    """The public key of a secret one, on stdout. Example: clipwarden keys show keys/flows.key > flows.pub."""
    public = read_keys(secret, "the key").public.decode()
    typer.echo(json.dumps({"public": public}) if as_json else public)
