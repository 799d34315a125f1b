"""clipwarden train text | video | fusion | starter."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.errors import ConfigError
from core.labels import Modality
from core.settings import Settings
from core.telemetry import configure_logging
from models.bundle import STARTER, load_bundle
from models.evaluation.card import write_card
from models.evaluation.request import Request
from models.evaluation.run import evaluate_model
from models.serving.golden import write_golden
from models.training.evaluate import Figures
from models.training.loop import Report, log_progress
from models.training.progress import ProgressBar
from models.training.recipes import DEFAULTS, Recipe, load_recipe
from models.training.train import train as train_model
from operations.commands.evaluate import bars, data_of_environment
from operations.seat import screen

app = typer.Typer()


class What(StrEnum):
    """One model, or all three into one servable folder."""

    TEXT = "text"
    VIDEO = "video"
    FUSION = "fusion"
    STARTER = "starter"


@app.command()
def train(
    what: Annotated[What, typer.Argument(help="text, video, fusion; starter trains all three.")],
    *,
    data: Annotated[
        Path | None, typer.Option(help="Folder with tables of captions in text/, and video/manifest.csv.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of models; a model's folder is made in it.")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="A TOML file, or a shipped recipe's name: fine-tunes a published encoder.")
    ] = None,
    base: Annotated[str | None, typer.Option(help="The encoder's name or folder, instead of the recipe's.")] = None,
    version: Annotated[str, typer.Option(help="What the model calls itself in every verdict.")] = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Train on labelled texts and clips. Example: clipwarden train text --data data/ --out models-local/."""
    configure_logging(Settings.load().telemetry)
    asked = recipe_of(what, recipe, base)
    data = data or data_of_environment()
    out = out or (STARTER if what is What.STARTER else Path("models-local"))
    chosen = tuple(Modality) if what is What.STARTER else (Modality(what.value),)
    figures = {}
    for modality in chosen:
        with _shown(modality) as report:
            figures[modality.value] = train_model(
                modality, data=data, out=out / modality.value, version=version, recipe=asked, report=report
            )
    # Known inputs and their answers: a worker that computes something else refuses to serve the folder.
    write_golden(load_bundle(out), out)
    if what is What.STARTER:
        _measure(out, data)
    _report(figures, out, as_json=as_json)


def recipe_of(what: What, name: str | None, base: str | None) -> Recipe | None:
    """What --recipe and --base ask for; None where neither is given.

    Raises:
        ConfigError: there is no such recipe, or none for this model.
    """
    if name is None and base is None:
        return None
    if what not in (What.TEXT, What.VIDEO):
        raise ConfigError(f"--recipe and --base fine-tune text or video, not {what.value}; leave them out")
    return load_recipe(name or DEFAULTS[Modality(what.value)], base=base)


@contextmanager
def _shown(modality: Modality) -> Iterator[Report]:
    """A bar with the time left on a terminal, lines of the log elsewhere."""
    if not screen.is_terminal:
        yield log_progress
        return
    with ProgressBar(modality.value, screen) as bar:
        yield bar


def _measure(out: Path, data: Path) -> None:
    """Put every figure with its interval into the cards."""
    for modality in Modality:
        with bars() as progress:
            evaluated = evaluate_model(Request(model=str(out / modality), data=data), progress)
        write_card(evaluated.report, evaluated.folder)


def _report(figures: dict[str, dict[str, Figures]], out: Path, *, as_json: bool) -> None:
    if as_json:
        body = {model: {name: asdict(row) for name, row in rows.items()} for model, rows in figures.items()}
        typer.echo(json.dumps({"out": str(out), "figures": body}))
        return
    table = Table("model", "measured on", "n", "macro-F1", "harmful F1", "AP", box=None)
    for model, rows in figures.items():
        for name, row in rows.items():
            values = asdict(row)
            cells = (f"{values[key]:.3f}" for key in ("macro_f1", "harmful_f1", "ap"))
            table.add_row(model, name, str(values["n"]), *cells)
    screen.print(table)
    screen.print(f"written to {out}; serve it with CLIPWARDEN_SERVING__MODELS_DIR={out}")
