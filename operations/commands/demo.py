"""clipwarden demo: everything from nothing, on real video."""

import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from core.settings import Settings, process_environment
from core.storage.live import RedisLive
from core.telemetry import configure_logging
from operations.demo import posts
from operations.demo.board import Board
from operations.demo.run import DemoRun, Item, summary
from operations.embedded import control
from operations.people import admins_entry
from operations.seat import root, screen
from operations.state import Plan, Site
from operations.state import settings as site_settings

app = typer.Typer()


@app.command()
def demo(
    *,
    clips: Annotated[int, typer.Option(help="How many posts.", min=1, max=100_000)] = 120,
    videos: Annotated[list[Path] | None, typer.Option(help="Your own videos: files or folders, posted first.")] = None,
    rate: Annotated[float, typer.Option(help="Posts per second; 0: as fast as they go.", min=0)] = 2.0,
    flows: Annotated[int, typer.Option(help="Scoring processes.", min=1, max=8)] = 1,
    exit_: Annotated[bool, typer.Option("--exit", help="End when every clip has its verdict.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the account as one JSON object on stdout.")] = False,
) -> None:
    """Servers, worker, flow, console and clips; Ctrl-C stops all. Example: clipwarden demo --clips 40 --exit --json."""
    settings = Settings.load()
    configure_logging(settings.telemetry.model_copy(update={"log_level": "warning"}))
    board = Board(screen)
    run = format(int(time.time()), "x")
    script = _script(root(), clips, run)
    items = [*(posts.own(videos, run=run) if videos else []), *script.posts]
    board.step(script.banner)
    _bring_up(board, Plan(worker=True, flows=flows, dashboard=True, router=True, banner=script.banner))
    try:
        body = _play(board, items, rate=rate, stays=not exit_)
    finally:
        board.step("stopping")
        control.down(root())
    _report(body, as_json=as_json)
    if body["lost"] or body["duplicates"]:
        raise typer.Exit(1)


def _bring_up(board: Board, plan: Plan) -> None:
    """Start everything; it ends with this process at the latest."""
    addresses = control.up(
        root(), plan, on_progress=lambda name, state: board.step(f"{name:<12} {state}"), tied_to=os.getpid()
    )
    board.console_address = addresses["dashboard"]
    board.step(f"console: {board.console_address}; signed in with this link, once:")
    board.step(admins_entry(site_settings(Site.load(root()))))


def _play(board: Board, items: Sequence[Item], *, rate: float, stays: bool) -> dict[str, object]:
    """Post, follow, count; with `stays` until Ctrl-C."""
    settings = site_settings(Site.load(root()))
    run, live, stop = DemoRun(settings, board), RedisLive(settings.redis), threading.Event()
    try:
        with board:
            threading.Thread(target=run.follow, args=(live,), daemon=True).start()
            account = run.wait_for(run.post(items, rate=rate, stop=stop))
            if stays:
                board.step("every clip has its verdict; the console stays open until Ctrl-C")
                stop.wait()
        return summary(account, live.snapshot().posted_to_alert_s)
    finally:
        live.close()


def _script(folder: Path, count: int, run: str) -> posts.Script:
    data = process_environment().get("CLIPWARDEN_DEMO_DATA")
    if data:
        return posts.paired(Path(data), count, run=run)
    return posts.rendered(folder / ".clipwarden" / "demo", count, run=run)


def _report(body: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(body))
    else:
        for name, value in body.items():
            screen.print(f"  {name:<18} {value}")
