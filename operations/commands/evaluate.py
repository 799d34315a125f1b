"""clipwarden models evaluate: how good a model is, how sure that is, and whether it beats another."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from core.errors import ConfigError
from core.settings import Settings, process_environment
from core.telemetry import configure_logging
from models.evaluation.compare import Difference, Outcome
from models.evaluation.figures import Figure
from models.evaluation.report import Report
from models.evaluation.request import Request
from operations.seat import screen

_PLAIN: dict[str, Any] = {"box": None, "pad_edge": False, "padding": (0, 1, 0, 0)}


def evaluate(  # noqa: PLR0913 - the options of the command
    model: Annotated[str, typer.Argument(help="A model's folder; or text, video, fusion: the starter models.")],
    *,
    data: Annotated[
        Path | None, typer.Option(help="Folder with tables of captions in text/, and video/manifest.csv.")
    ] = None,
    split: Annotated[str, typer.Option(help="Which rows, by their column split.")] = "test",
    champion: Annotated[
        str | None, typer.Option(help="Another model of the same kind, tested on the same rows.")
    ] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only this text file, by its name; repeatable.")] = None,
    folds: Annotated[bool, typer.Option(help="Video: cross-validate the recipe as well.")] = True,
    out: Annotated[Path | None, typer.Option(help="Folder of the report; default: evaluations/MODEL-SPLIT.")] = None,
    card: Annotated[bool, typer.Option("--card", help="Put the figures into the model's own README.md too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Measure a model on labelled data. Example: clipwarden models evaluate text --data data/ --champion OLD/text."""
    # Listing and promoting models, in the same module, need none of training's packages.
    from models.evaluation.card import write_card  # noqa: PLC0415
    from models.evaluation.folder import write_evaluation  # noqa: PLC0415
    from models.evaluation.run import evaluate_model  # noqa: PLC0415

    configure_logging(Settings.load().telemetry.model_copy(update={"log_level": "error"}))
    request = Request(
        model=model,
        data=data or data_of_environment(),
        split=split,
        champion=champion,
        sources=tuple(source or ()),
        folds=folds,
    )
    with bars() as progress:
        evaluated = evaluate_model(request, progress)
    report = evaluated.report
    out = out or Path("evaluations") / re.sub(r"[^\w.-]+", "-", f"{report.model}-{split}")
    write_evaluation(evaluated, out)
    if card:
        write_card(report, evaluated.folder)
    if as_json:
        typer.echo(report.to_json())
    else:
        _show(report)
    screen.print(f"written to {out}: report.md, evaluation.json, pictures", soft_wrap=True)


def data_of_environment() -> Path:
    """The folder of labelled data that the environment names."""
    named = process_environment().get("CLIPWARDEN_DEMO_DATA")
    if named is None:
        raise ConfigError("no data: name a folder with --data, or set CLIPWARDEN_DEMO_DATA")
    return Path(named)


@contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """One bar per scoring, with the time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=screen, transient=True) as bar:

        def progress(what: str, done: int, of: int) -> None:
            task = next((task for task in bar.tasks if task.description == what and not task.finished), None)
            number = task.id if task is not None else bar.add_task(what, total=of)
            bar.update(number, completed=done, total=of)

        yield progress


def _show(report: Report) -> None:
    """The figures on the screen, 80 columns wide; never a text of the data."""
    screen.print(f"[bold]{report.model}[/bold] on {report.split}, harmful from {report.threshold:g} up\n")
    table = Table("set", "n\nharmful", "AP", "macro-F1", "harmful F1", "recall at\n90 % prec.", "ECE\nchance", **_PLAIN)
    folds = {"recipe, folds apart": report.cross_validation} if report.cross_validation is not None else {}
    for name, one in {**report.sets, **folds}.items():
        figures, own = one.figures, one.calibration
        measured = (figures.ap, figures.macro_f1, figures.harmful_f1, figures.recall_at_precision)
        error = f"{own.ece:.3f}\n[dim]{own.perfect_ece:.3f}[/dim]"
        table.add_row(name, f"{one.n:,}\n[dim]{one.harmful:,}[/dim]", *map(_cell, measured), error)
    screen.print(table)
    if report.rivals:
        screen.print("\nless a rival's, on the same rows; unmarked: not told apart", _rivals(report), sep="\n")
    for check in report.checks:
        word = "[green]holds[/green]" if check.passed else "[red]does not hold[/red]"
        screen.print(f"{check.name}: {check.value:+.3f}, at least {check.at_least:+.2f}: {word}")


def _rivals(report: Report) -> Table:
    table = Table("on", "rival", "AP", "macro-F1", "McNemar p", **_PLAIN)
    for rival in report.rivals:
        pair = rival.comparison
        table.add_row(rival.on, rival.name, _difference(pair.ap), _difference(pair.macro_f1), f"{pair.mcnemar_p:.3f}")
    return table


def _cell(figure: Figure) -> str:
    return f"{figure.value:.3f}\n[dim]{figure.low:.3f}-{figure.high:.3f}[/dim]"


def _difference(one: Difference) -> str:
    words = {Outcome.BETTER: " [green]better[/green]", Outcome.WORSE: " [red]worse[/red]", Outcome.UNDECIDED: ""}
    return f"{one.value:+.3f}{words[one.outcome]}\n[dim]{one.low:+.3f} to {one.high:+.3f}[/dim]"
