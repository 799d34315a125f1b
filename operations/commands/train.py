"""clipwarden train text | video | fusion | starter."""

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.errors import ConfigError
from core.labels import Modality
from core.settings import Settings, process_environment
from core.telemetry import configure_logging
from models.bundle import STARTER, load_bundle
from models.serving.golden import write_golden
from models.training.evaluate import Figures
from models.training.train import train as train_model
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
    data: Annotated[Path | None, typer.Option(help="Folder with text/*.parquet and video/manifest.csv.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of models; a model's folder is made in it.")] = None,
    version: Annotated[str, typer.Option(help="What the model calls itself in every verdict.")] = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Train on labelled texts and clips. Example: clipwarden train text --data data/ --out models-local/."""
    configure_logging(Settings.load().telemetry)
    data = data or _data_of_environment()
    out = out or (STARTER if what is What.STARTER else Path("models-local"))
    chosen = tuple(Modality) if what is What.STARTER else (Modality(what.value),)
    figures = {
        modality.value: train_model(modality, data=data, out=out / modality.value, version=version)
        for modality in chosen
    }
    # Known inputs and their answers: a worker that computes something else refuses to serve the folder.
    write_golden(load_bundle(out), out)
    _report(figures, out, as_json=as_json)


def _data_of_environment() -> Path:
    data = process_environment().get("CLIPWARDEN_DEMO_DATA")
    if data is None:
        raise ConfigError("no data: name a folder with --data, or set CLIPWARDEN_DEMO_DATA")
    return Path(data)


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
