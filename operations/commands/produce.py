"""clipwarden produce: files, folders and recorded posts into the pipeline."""

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from core.clock import SystemClock
from core.errors import ConfigError
from ingestion.feed import feeding
from ingestion.folders import find_videos
from ingestion.posts import Line, Post, read_posts
from operations.producing import Account, Producing
from operations.seat import EXIT_FAILED, load_settings, screen
from operations.watching import watch_folders

app = typer.Typer()


@app.command()
def produce(
    paths: Annotated[list[Path] | None, typer.Argument(help="Video files, or folders of them.")] = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Go on looking into the folders; Ctrl-C ends.")] = False,
    jsonl: Annotated[Path | None, typer.Option(help='Lines {"file":, "caption":, "video_id":, ...}.')] = None,
    caption: Annotated[str | None, typer.Option(help="The caption of every file; alone: a text-only post.")] = None,
    rate: Annotated[float, typer.Option(help="Posts per second; 0: as fast as possible.", min=0)] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Put videos into the pipeline. Example: clipwarden produce clips/ --caption "my cat" --rate 5."""
    if watch:
        watch_folders(load_settings(), _folders(paths, jsonl), Post(caption=caption, source="watch"))
        return
    lines = list(_lines(paths or [], jsonl, caption))
    if not lines:
        raise ConfigError("nothing to produce: name files or folders, --jsonl FILE, or --caption TEXT")
    settings, account = load_settings(), Account()
    with feeding(settings) as feed:
        producing = Producing(settings, feed, account, clock=SystemClock())
        try:
            producing.run(_paced(track(lines, "posting", console=screen), rate), at_once=not rate)
        finally:
            _tell(account, as_json=as_json)
    if account.refused or account.waiting:
        raise typer.Exit(EXIT_FAILED)


def _tell(account: Account, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(account.as_json()))
    for name, reason in account.refused.items():
        screen.print(f"refused {name}: {reason}", markup=False)
    for name, reason in account.waiting.items():
        screen.print(f"waiting {name}: {reason}", markup=False)
    screen.print(f"{account.posted} posted, {account.repeated} known already", markup=False)


def _paced(lines: Iterable[Line], rate: float) -> Iterator[Line]:
    started_s = time.monotonic()
    for count, line in enumerate(lines):
        if rate:
            time.sleep(max(0.0, started_s + count / rate - time.monotonic()))
        yield line


def _lines(paths: list[Path], jsonl: Path | None, caption: str | None) -> Iterator[Line]:
    for path in find_videos(paths):
        yield path, Post(caption=caption)
    if jsonl is not None:
        yield from read_posts(jsonl)
    if not paths and jsonl is None and caption is not None:
        yield None, Post(caption=caption)


def _folders(paths: list[Path] | None, jsonl: Path | None) -> list[Path]:
    if not paths or jsonl is not None or not all(path.is_dir() for path in paths):
        raise ConfigError("--watch looks into folders: name those that exist, and no --jsonl")
    return paths
