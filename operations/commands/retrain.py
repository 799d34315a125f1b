"""clipwarden models retrain: a look at new labels and drift, and a challenger where there is reason to."""

import json
import re
import time
from pathlib import Path
from typing import Annotated

import typer

from core.clock import SystemClock
from core.errors import ConfigError, DependencyError
from core.labels import Modality
from core.telemetry import configure_logging
from models.registry import Registry
from operations.commands.evaluate import data_of_environment
from operations.commands.registry import registry_settings
from operations.retraining.look import Asked, Outcome
from operations.seat import screen

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def retrain(
    name: Annotated[Modality, typer.Argument(help="text or video.")] = Modality.TEXT,
    *,
    data: Annotated[
        Path | None, typer.Option(help="Folder with tables of captions in text/, and video/manifest.csv.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Labelled captions, CSV or Parquet, instead of moderators' decisions.")
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="Train whatever is found.")] = False,
    watch: Annotated[str | None, typer.Option(help="Look again after this long, e.g. 30m or 1h; Ctrl-C ends.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per look on stdout.")] = False,
) -> None:
    """Train a challenger on enough new labels or drift. Example: clipwarden models retrain text --data data/."""
    # Listing and promoting models, in the same module, need none of training's packages.
    from models.training.train import train  # noqa: PLC0415
    from operations.retraining.run import Retraining  # noqa: PLC0415

    every_s = None if watch is None else seconds(watch)
    settings = registry_settings(may_start=True)
    # A training takes long enough to tell of its epochs.
    configure_logging(settings.telemetry)
    retraining = Retraining(settings, Registry(settings.mlflow), train, SystemClock())
    asked = Asked(name, data or data_of_environment(), labels, forced=now)
    while True:
        try:
            _tell(retraining.look(asked), as_json=as_json)
        except DependencyError as error:
            if every_s is None:
                raise
            screen.print(f"no look: {error}", soft_wrap=True)
        if every_s is None:
            return
        # Once is what --now asks for.
        asked = Asked(name, asked.data, labels)
        time.sleep(every_s)


def seconds(text: str) -> int:
    """`90s`, `30m`, `1h`, `1d` in seconds.

    Raises:
        ConfigError: it is something else, or no time at all.
    """
    match = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if match is None or int(match[1]) == 0:
        raise ConfigError(f"--watch {text} is no length of time; give e.g. 30m, 1h or 1d")
    return int(match[1]) * _UNITS_S[match[2]]


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    version = outcome.version
    if as_json:
        look = outcome.look
        found = {"labels": look.labels, "drift": dict(look.drift), "of": look.model} if look else {}
        typer.echo(json.dumps({"trained": str(version) if version else None, "why": outcome.line, **found}))
    elif version is None:
        screen.print(f"not trained: {outcome.line}", soft_wrap=True)
    else:
        screen.print(
            f"trained {version}: {outcome.line}; next: clipwarden models promote {version.modality} {version.number}",
            soft_wrap=True,
        )
