"""clipwarden demo: everything from nothing, on real video."""

import json
import os
import threading
from pathlib import Path
from typing import Annotated

import typer

from core.settings import Settings, process_environment
from core.storage.live import RedisLive
from operations.demo import posts
from operations.demo.board import Board
from operations.demo.run import DemoRun, summary
from operations.embedded import control
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
    Settings.load()
    folder, stop = root(), threading.Event()
    board = Board(screen)
    script = _script(folder, clips)
    items = [*(posts.own(videos) if videos else []), *script.posts]
    board.step(script.banner)
    plan = Plan(worker=True, flows=flows, dashboard=True, banner=script.banner)
    addresses = control.up(
        folder, plan, on_progress=lambda name, state: board.step(f"{name:<12} {state}"), tied_to=os.getpid()
    )
    board.console_address = addresses.get("dashboard", "")
    board.step(f"console: {board.console_address}")
    run = DemoRun(site_settings(Site.load(folder)), board)
    try:
        with board:
            threading.Thread(target=run.follow, args=(stop,), daemon=True).start()
            posted = run.post(items, rate=rate, stop=stop)
            account = run.wait_for(posted)
            if not exit_:
                board.step("every clip has its verdict; the console stays open until Ctrl-C")
                stop.wait()
        body = summary(account, RedisLive(run.settings.redis).snapshot().posted_to_alert_s)
    finally:
        stop.set()
        board.step("stopping")
        control.down(folder)
    _report(body, as_json=as_json)
    if account.lost or account.duplicates:
        raise typer.Exit(1)


def _script(folder: Path, count: int) -> posts.Script:
    data = process_environment().get("CLIPWARDEN_DEMO_DATA")
    return posts.paired(Path(data), count) if data else posts.rendered(folder / ".clipwarden" / "demo", count)


def _report(body: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(body))
    else:
        for name, value in body.items():
            screen.print(f"  {name:<18} {value}")
