"""clipwarden score: verdicts in process, without servers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.progress import track

from core.errors import ConfigError
from core.events import Verdict
from core.labels import Modality
from core.settings import Settings
from core.telemetry import configure_logging
from operations.commands.watch import line
from operations.scoring import Item, LocalScoring
from operations.seat import screen

app = typer.Typer()


@app.command()
def score(
    path: Annotated[Path | None, typer.Argument(help="A video file.")] = None,
    *,
    caption: Annotated[str | None, typer.Option(help="Its caption; alone: a text-only post.")] = None,
    manifest: Annotated[Path | None, typer.Option(help="CSV or Parquet with columns file and/or text.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the manifest's scores go, CSV or Parquet.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Score one post, or a table of them. Example: clipwarden score clip.mp4 --caption "hello" --json."""
    settings = Settings.load()
    configure_logging(settings.telemetry.model_copy(update={"log_level": "error"}))
    if manifest is not None:
        _score_table(settings, manifest, out, as_json=as_json)
        return
    if path is None and caption is None:
        raise ConfigError("nothing to score: name a file, --caption TEXT, or --manifest FILE --out FILE")
    with LocalScoring(settings) as scoring:
        (verdict,) = scoring.score([Item(path, caption)])
    if as_json:
        typer.echo(verdict.model_dump_json(by_alias=True))
    else:
        screen.print(line(verdict))


def _score_table(settings: Settings, manifest: Path, out: Path | None, *, as_json: bool) -> None:
    if out is None:
        raise ConfigError("--manifest needs --out FILE (.csv or .parquet)")
    _check_suffix(out)
    table = _read(manifest)
    items = list(_items(table, manifest.parent))
    with LocalScoring(settings) as scoring:
        verdicts = track(scoring.score(items), "scoring", total=len(items), console=screen)
        scores = pd.DataFrame([_row(verdict, scoring.labels) for verdict in verdicts])
    result = pd.concat([table.reset_index(drop=True), scores], axis=1)
    if out.suffix == ".parquet":
        result.to_parquet(out)
    else:
        result.to_csv(out, index=False)
    if as_json:
        typer.echo(
            json.dumps({"rows": len(result), "out": str(out), "by_verdict": result["verdict"].value_counts().to_dict()})
        )


def _read(manifest: Path) -> pd.DataFrame:
    _check_suffix(manifest)
    try:
        if manifest.suffix == ".parquet":
            table = pd.read_parquet(manifest)
        else:
            table = pd.read_csv(manifest, dtype={"file": "string", "text": "string"}, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{manifest}: {' '.join(str(error).split())[:200]}") from error
    if not {"file", "text"} & set(table.columns):
        raise ConfigError(
            f"{manifest} has neither a column file nor text (it has {', '.join(map(str, table.columns))})"
        )
    return table


def _check_suffix(path: Path) -> None:
    if path.suffix not in (".csv", ".parquet"):
        raise ConfigError(f"{path}: name a .csv or .parquet file")


def _items(table: pd.DataFrame, folder: Path) -> Iterator[Item]:
    for row in table.to_dict("records"):
        file, text = _text(row.get("file")), _text(row.get("text"))
        yield Item(folder / file if file else None, text)


def _text(value: Any) -> str | None:  # noqa: ANN401 - a cell holds anything
    return str(value) if value is not None and not pd.isna(value) and str(value) else None


def _row(verdict: Verdict, labels: list[str]) -> dict[str, Any]:
    codes = [result.code for result in verdict.modalities.values() if result.code]
    return {
        "text_score": _largest(verdict, Modality.TEXT),
        "video_score": _largest(verdict, Modality.VIDEO),
        "fusion_score": _largest(verdict, Modality.FUSION),
        "score": verdict.score,
        "verdict": verdict.verdict.value,
        "mode": verdict.mode.value,
        "code": " ".join(codes) or None,
        **{f"label_{label}": verdict.label_scores.get(label) for label in labels},
    }


def _largest(verdict: Verdict, modality: Modality) -> float | None:
    result = verdict.modalities.get(modality)
    return max(result.scores.values()) if result is not None and result.scores else None
