"""clipwarden users add | list | role | disable | enable | password | link: who may use the console."""

import json
import sys
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from core.access import Role
from core.errors_console import PersonRefused
from core.storage.people import Account
from operations.people import OPERATOR, entry, people_of
from operations.seat import load_settings, screen

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Name = Annotated[str, typer.Argument(help="The name they sign in by.")]


@app.command()
def add(
    name: Name,
    *,
    role: Annotated[Role, typer.Option(help="What they are here for.")] = Role.VIEWER,
    password: Annotated[bool, typer.Option("--password", help="Ask for a password; read from stdin.")] = False,
) -> None:
    """Add a person; without a password, prints a one-time link. Example: clipwarden users add an --role moderator."""
    settings = load_settings()
    with people_of(settings) as people:
        person = people.add(OPERATOR, name, role, password=_password() if password else None)
        screen.print(f"{person.name} is here as {role}", markup=False)
        if not password:
            _print_link(entry(settings, people, person), settings.sign_in.link_s)


@app.command(name="list")
def list_people(*, as_json: AsJson = False) -> None:
    """Everybody, with role and last visit. Example: clipwarden users list."""
    with people_of(load_settings()) as people:
        found = people.list(OPERATOR)
    if as_json:
        typer.echo(json.dumps({"people": [_shown(account) for account in found]}))
        return
    table = Table("id", "name", "role", "enters by", "last here", "disabled", box=None)
    for account in found:
        seen, disabled = (
            at.strftime("%Y-%m-%d %H:%M") if at else "" for at in (account.last_seen_at, account.disabled_at)
        )
        person = account.person
        table.add_row(person.user_id, Text(person.name), person.role, _enters_by(account), seen, disabled)
    screen.print(table if found else "nobody yet; add somebody: clipwarden users add NAME --role admin")


@app.command(name="role")
def give_role(name: Name, role: Annotated[Role, typer.Argument(help="The new role.")]) -> None:
    """Give a person another role; their sessions end. Example: clipwarden users role an lead."""
    with people_of(load_settings()) as people:
        person = people.find(OPERATOR, name).person
        people.set_role(OPERATOR, person.user_id, role)
    screen.print(f"{person.name} is {role} now", markup=False)


@app.command()
def disable(name: Name) -> None:
    """Shut a person out at once. Example: clipwarden users disable an."""
    with people_of(load_settings()) as people:
        person = people.find(OPERATOR, name).person
        people.disable(OPERATOR, person.user_id)
    screen.print(f"{person.name} is disabled; let them in again: clipwarden users enable NAME", markup=False)


@app.command()
def enable(name: Name) -> None:
    """Let a person in again. Example: clipwarden users enable an."""
    with people_of(load_settings()) as people:
        person = people.find(OPERATOR, name).person
        people.enable(OPERATOR, person.user_id)
    screen.print(f"{person.name} may sign in again", markup=False)


@app.command()
def password(name: Name) -> None:
    """Set a person's password, from a prompt or stdin. Example: clipwarden users password an."""
    with people_of(load_settings()) as people:
        person = people.find(OPERATOR, name).person
        people.set_password(OPERATOR, person.user_id, _password())
    screen.print(f"{person.name} has a new password", markup=False)


@app.command()
def link(name: Name) -> None:
    """Print a link with which a person signs in once. Example: clipwarden users link an."""
    settings = load_settings()
    with people_of(settings) as people:
        person = people.find(OPERATOR, name).person
        _print_link(entry(settings, people, person), settings.sign_in.link_s)


def _print_link(address: str, lives_s: int) -> None:
    # The link alone on stdout: a shell may take it from there.
    typer.echo(address)
    screen.print(f"works once, within {lives_s // 60} min")


def _password() -> str:
    """From the terminal without echo, twice; else the first line of stdin. Never an argument: others see those."""
    if sys.stdin.isatty():
        typed: str = typer.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise PersonRefused("no password on stdin; type one, or pipe it: clipwarden users password NAME < file")
    return line


def _enters_by(account: Account) -> str:
    return "provider" if account.is_vouched else "password" if account.has_password else "link"


def _shown(account: Account) -> dict[str, object]:
    return {
        "user_id": account.person.user_id,
        "name": account.person.name,
        "role": account.person.role,
        "enters_by": _enters_by(account),
        "created_at": account.created_at.isoformat(),
        "last_seen_at": account.last_seen_at.isoformat() if account.last_seen_at else None,
        "disabled_at": account.disabled_at.isoformat() if account.disabled_at else None,
    }
