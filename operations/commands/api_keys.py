"""clipwarden api-keys make | list | revoke: who may use the HTTP gateway."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from core.errors import ConfigError
from core.storage.api_keys import ApiKey, ApiKeys, Scope
from operations.seat import load_settings, screen

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
MAX_NAME_CHARS = 100


@app.command()
def make(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    *,
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do; repeat it. All, if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key; it is shown this one time. Example: clipwarden api-keys make "mobile app" --scope post."""
    if not name.strip() or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise ConfigError(f"a name has 1 to {MAX_NAME_CHARS} printable characters; say whose key it is")
    with _keys() as keys:
        key, text = keys.make(name.strip(), scope or list(Scope))
    if as_json:
        typer.echo(json.dumps({**_shown(key), "key": text}))
        return
    # The key alone on stdout: a shell may take it from there.
    typer.echo(text)
    screen.print(f"{key.key_id} may {' and '.join(sorted(key.scopes))}; only its hash is kept, so keep it now")


@app.command(name="list")
def list_keys(*, as_json: AsJson = False) -> None:
    """Every key, without what proves it. Example: clipwarden api-keys list."""
    with _keys() as keys:
        found = keys.list()
    if as_json:
        typer.echo(json.dumps({"keys": [_shown(key) for key in found]}))
        return
    table = Table("id", "name", "may", "since", "revoked", box=None)
    for key in found:
        since, revoked = (at.strftime("%Y-%m-%d %H:%M") if at else "" for at in (key.created_at, key.revoked_at))
        table.add_row(key.key_id, key.name, " ".join(sorted(key.scopes)), since, revoked)
    screen.print(table if found else "no keys yet; make one: clipwarden api-keys make NAME")


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The key's id: the 12 characters after cw_.")]) -> None:
    """End a key at once, for good. Example: clipwarden api-keys revoke 1f2e3d4c5b6a."""
    with _keys() as keys:
        if not keys.revoke(key_id):
            raise ConfigError(f"no key {key_id[:20]!r}; clipwarden api-keys list shows the ids")
    screen.print(f"{key_id} is revoked")


@contextmanager
def _keys() -> Iterator[ApiKeys]:
    keys = ApiKeys(load_settings().store)
    try:
        yield keys
    finally:
        keys.close()


def _shown(key: ApiKey) -> dict[str, object]:
    return {
        **asdict(key),
        "scopes": sorted(key.scopes),
        "created_at": key.created_at.isoformat(),
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }
