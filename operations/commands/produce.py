"""clipwarden produce: files or events into the pipeline."""

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from core.clock import SystemClock
from core.errors import ConfigError, MediaError
from core.media.cage import Cage
from core.settings import Settings
from core.storage.media import S3Media
from ingestion.intake import Intake, Post, find_videos
from ingestion.kafka import EventProducer
from operations.seat import load_settings, screen

app = typer.Typer()

Line = tuple[Path | None, Post]


@app.command()
def produce(
    paths: Annotated[list[Path] | None, typer.Argument(help="Video files, or folders of them.")] = None,
    *,
    jsonl: Annotated[Path | None, typer.Option(help='Lines {"file":, "caption":, "video_id":, ...}.')] = None,
    caption: Annotated[str | None, typer.Option(help="The caption of every file; alone: a text-only post.")] = None,
    rate: Annotated[float, typer.Option(help="Posts per second; 0: as fast as possible.", min=0)] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Put videos into the pipeline. Example: clipwarden produce clips/ --caption "my cat" --rate 5."""
    lines = list(_lines(paths or [], jsonl, caption))
    if not lines:
        raise ConfigError("nothing to produce: name files or folders, --jsonl FILE, or --caption TEXT")
    refused = produce_posts(load_settings(), lines, rate=rate)
    if as_json:
        typer.echo(json.dumps({"posted": len(lines) - len(refused), "refused": refused}))
    for name, reason in refused.items():
        screen.print(f"refused {name}: {reason}", markup=False)
    if refused:
        raise typer.Exit(1)


def produce_posts(settings: Settings, lines: Iterable[Line], *, rate: float = 0.0) -> dict[str, str]:
    """Post each line at the given rate; returns what was refused, with the reason.

    Raises:
        DeliveryFailed: the broker did not confirm every event.
    """
    refused: dict[str, str] = {}
    producer = EventProducer(settings.kafka)
    cage = Cage(settings.decode)
    try:
        intake = Intake(S3Media(settings.media), producer, cage=cage, settings=settings, clock=SystemClock())
        for path, post in _paced(track(list(lines), "posting", console=screen), rate):
            try:
                intake.post_text(post) if path is None else intake.post_file(path, post)
            except MediaError as error:
                refused[str(path)] = str(error)
    finally:
        cage.close()
    producer.flush()
    return refused


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
        yield from _read_jsonl(jsonl)
    if not paths and jsonl is None and caption is not None:
        yield None, Post(caption=caption)


def _read_jsonl(path: Path) -> Iterator[Line]:
    try:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        for row in rows:
            file = row.pop("file", None)
            yield (path.parent / file if file else None), Post(**row)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(
            f'{path}: {error}; each line is an object such as {{"file": "a.mp4", "caption": "hello"}}'
        ) from error
