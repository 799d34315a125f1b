"""clipwarden forget: erases a video everywhere, and sees to it that it does not come back."""

import getpass
import json
from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import typer

from core.storage.ledger_pg import PostgresLedger
from core.storage.live import RedisLive
from core.storage.media import S3Media
from core.topics import TOPICS
from ingestion.erase import Eraser
from operations.seat import load_settings, screen

app = typer.Typer()


@app.command()
def forget(
    video_id: Annotated[str, typer.Argument(metavar="VIDEO_ID", help="As the console shows it.")],
    *,
    by: Annotated[str | None, typer.Option(help="Who asks for it; for the audit.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Erase a video: object, rows, live view; it is not taken in again. Example: clipwarden forget tiktok:7301."""
    settings = load_settings()
    with closing(PostgresLedger(settings.store)) as ledger, closing(RedisLive(settings.redis)) as live:
        done = Eraser(ledger, S3Media(settings.media), live).forget(video_id, by or getpass.getuser())
    if as_json:
        typer.echo(json.dumps({"video_id": video_id, **asdict(done)}))
    days = max(topic.retention_h for topic in TOPICS) // 24
    screen.print(
        f"forgot {video_id}: {done.rows} rows and {done.objects} objects; "
        f"the topics hold its records for up to {days} days more",
        markup=False,
    )
