"""clipwarden watch: alerts in the terminal."""

from typing import Annotated

import typer

from core.events import Verdict
from core.storage.live import RedisLive
from operations.seat import load_settings, screen

app = typer.Typer()

SHAPES = {"harmful": "▲", "review": "◆", "partial": "◐", "unscored": "○", "safe": "●"}
COLOURS = {"harmful": "red", "review": "yellow", "partial": "magenta", "unscored": "bright_black", "safe": "green"}


@app.command()
def watch(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every verdict, not only alerts.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line on stdout.")] = False,
) -> None:
    """Follow alerts; Ctrl-C ends. Example: clipwarden watch --all."""
    live = RedisLive(load_settings().redis)
    screen.print("waiting for alerts; Ctrl-C ends", style="dim")
    for verdict in live.follow(alerts_only=not everything):
        if as_json:
            typer.echo(verdict.model_dump_json(by_alias=True))
        else:
            screen.print(line(verdict))


def line(verdict: Verdict) -> str:
    """One verdict on one line, its caption cut and its markup harmless."""
    kind = verdict.verdict.value
    score = f"{verdict.score:.2f}" if verdict.score is not None else " -  "
    caption = " ".join((verdict.caption or "no caption").split())[:60].replace("[", "\\[")
    missing = " ".join(result.code for result in verdict.modalities.values() if result.code)
    return (
        f"[{COLOURS[kind]}]{SHAPES[kind]} {kind:<8}[/] {score} {verdict.label or '':<10} "
        f"{verdict.event_time.astimezone():%H:%M:%S} {verdict.video_id}  [dim]{caption}[/] [magenta]{missing}[/]"
    )
