"""clipwarden models register | show | promote | rollback: what the registry holds, and what of it serves."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.table import Table

from core.errors import CacheUnavailable, ConfigError
from core.labels import Modality
from core.settings import Settings
from core.telemetry import configure_logging
from dataflows.policy import Policy, PolicyFile
from models.bell import ring
from models.bundle import STARTER
from models.gates import FIGURE, SPLIT
from models.registry import Registry, Version
from operations.embedded.control import start_mlflow
from operations.provenance import read_run
from operations.seat import load_settings, root, screen

app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Name = Annotated[Modality, typer.Argument(help="text, video or fusion.")]


@app.command()
def register(
    folder: Annotated[Path, typer.Argument(help="The folder of one model.")],
    *,
    name: Annotated[Modality, typer.Option(help="Which model it is.")],
    evaluation: Annotated[
        list[Path] | None, typer.Option(help="Figures, as models evaluate writes them; repeatable, one per split.")
    ] = None,
    as_json: Json = False,
) -> None:
    """A trained folder into the registry, as challenger. Example: clipwarden models register out/text --name text."""
    from models.promotion import register as register_folder  # noqa: PLC0415 - torch takes seconds

    settings = registry_settings(may_start=True)
    run = read_run(folder, evaluation or [])
    version = register_folder(
        Registry(settings.mlflow), folder, modality=name, run=run, max_bytes=settings.mlflow.max_model_bytes
    )
    _tell(settings, name)
    _print(version, as_json=as_json)


@app.command()
def show(name: Name, number: Annotated[int, typer.Argument(metavar="VERSION")], *, as_json: Json = False) -> None:
    """One version: figures, digests, looks at its gate. Example: clipwarden models show text 3."""
    version = Registry(registry_settings().mlflow).version(name, number)
    _print(version, as_json=as_json)


@app.command()
def promote(name: Name, number: Annotated[int, typer.Argument(metavar="VERSION")], *, as_json: Json = False) -> None:
    """Make a version the champion, if it passes its gate. Example: clipwarden models promote text 3."""
    from models.promotion import promote as promote_version  # noqa: PLC0415 - torch takes seconds

    settings = registry_settings()
    registry = Registry(settings.mlflow)
    base = settings.serving.models_dir or STARTER
    # Not the worker's cache: it removes there what does not serve.
    with TemporaryDirectory(prefix="clipwarden-promote-") as cache:
        promote_version(
            registry,
            registry.version(name, number),
            base=base,
            cache=Path(cache),
            now=datetime.now(UTC),
            misfit=partial(_misfit, PolicyFile(settings.flow.policy_file).policy),
        )
    _tell(settings, name)
    _print(registry.version(name, number), as_json=as_json)


@app.command()
def rollback(name: Name, *, as_json: Json = False) -> None:
    """Make the champion before this one champion again. Example: clipwarden models rollback text."""
    settings = registry_settings()
    number = Registry(settings.mlflow).roll_back(name)
    _tell(settings, name)
    if as_json:
        typer.echo(json.dumps({"name": name.value, "champion": number}))
    else:
        screen.print(f"{name} {number} serves again" if number else f"{name}: the product's own model serves again")


def _misfit(policy: Policy, emitted: Mapping[str, tuple[str, ...]]) -> str:
    try:
        policy.check_models(emitted)
    except ConfigError as error:
        return error.message
    return ""


def registered(*, modality: Modality | None = None) -> list[Version]:
    """All versions of the registry this folder or environment names; none where it names none."""
    try:
        settings = registry_settings()
    except ConfigError:
        return []
    registry = Registry(settings.mlflow)
    return [version for name in ([modality] if modality else Modality) for version in registry.versions(name)]


def print_versions(versions: list[Version]) -> None:
    """A table for people."""
    table = Table("version", "registered", "serves as", f"{SPLIT} {FIGURE}", "weights sha256", box=None)
    for version in versions:
        figure = version.measured.figures.get(f"{SPLIT}.{FIGURE}")
        cells = (", ".join(version.aliases), "" if figure is None else f"{figure:.4f}", version.weights_sha256[:12])
        table.add_row(str(version), f"{version.created_at:%Y-%m-%d %H:%M}", *cells)
    screen.print(table)


def as_row(version: Version) -> dict[str, Any]:
    """A version for `--json`."""
    return {**asdict(version), "created_at": version.created_at.isoformat(), "tags": dict(version.tags)}


def registry_settings(*, may_start: bool = False) -> Settings:
    """Those that name a registry: the environment's, else the platform's of this folder."""
    settings = Settings.load()
    if settings.mlflow.tracking_uri:
        configure_logging(settings.telemetry.model_copy(update={"log_level": "warning"}))
        return settings
    settings = load_settings()
    if not settings.mlflow.tracking_uri and may_start:
        start_mlflow(root(), on_progress=lambda name, state: screen.print(f"{name}: {state}"))
        settings = load_settings()
    if not settings.mlflow.tracking_uri:
        raise ConfigError(
            "no registry yet: clipwarden models register starts one, or set CLIPWARDEN_MLFLOW__TRACKING_URI"
        )
    return settings


def _tell(settings: Settings, name: Modality) -> None:
    """Have workers look at once; one that does not hear it finds the change with its next look."""
    try:
        heard = ring(settings.redis, name.value)
    except CacheUnavailable as error:
        screen.print(f"no worker was told ({error}); they look every {settings.mlflow.poll_s:.0f} s")
    else:
        screen.print(f"{heard} workers were told")


def _print(version: Version, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(as_row(version)))
        return
    print_versions([version])
    for name, value in sorted(version.measured.figures.items()):
        screen.print(f"  {name} {value:.4f}")
    for line in version.tags.get("gate_looks", "").splitlines():
        screen.print(f"  looked at its gate {line}")
