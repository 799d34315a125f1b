"""clipwarden dead-letters: list, show and replay what could not be used."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from core.errors import ConfigError
from core.events import DeadLetter, RecordRef
from core.settings import Settings
from core.storage.history import TimescaleHistory
from core.storage.media import S3Media
from core.storage.orders import OfLetter
from core.storage.ports import DeadLetterRow
from ingestion.kafka import EventProducer
from operations.seat import load_settings, screen

app = typer.Typer(no_args_is_help=True)


@app.callback()
def dead_letters() -> None:
    """What could not be used, with its reason. Example: clipwarden dead-letters list --code media.missing."""


@app.command("list")
def list_(
    *,
    code: Annotated[str | None, typer.Option(help="Only this code, e.g. media.missing.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """The newest dead letters. Example: clipwarden dead-letters list --code event.malformed."""
    rows = TimescaleHistory(load_settings().store).dead_letters(limit, code=code)
    if as_json:
        typer.echo(json.dumps({"dead_letters": [_summary(row) for row in rows]}))
        return
    table = Table("id", "code", "stage", "video", "died", "replayed", "message", box=None)
    for row in rows:
        summary = _summary(row)
        table.add_row(*(str(summary[name] or "") for name in ("id", "code", "stage", "video_id", "died_at", "replayed_at")), summary["message"])  # fmt: skip  # noqa: E501
    screen.print(table if rows else "no dead letters")


@app.command()
def show(
    dead_id: Annotated[str, typer.Argument(metavar="ID", help="topic:partition:offset:stage, as list prints.")],
) -> None:
    """One dead letter, whole, as JSON. Example: clipwarden dead-letters show video.posted.v1:3:17:parse."""
    record, stage = _parse_id(dead_id)
    row = TimescaleHistory(load_settings().store).dead_letter(record, stage)
    if row is None:
        raise ConfigError(f"no dead letter {dead_id}; see: clipwarden dead-letters list")
    typer.echo(row.dead_letter.to_bytes().decode())


@app.command()
def replay(
    dead_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One; without it: all that match.")] = None,
    *,
    code: Annotated[str | None, typer.Option(help="Only this code.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 1_000,
) -> None:
    """Produce the original records again. Example: clipwarden dead-letters replay --code media.missing."""
    settings = load_settings()
    history = TimescaleHistory(settings.store)
    if dead_id is not None:
        record, stage = _parse_id(dead_id)
        row = history.dead_letter(record, stage)
        rows = [row] if row is not None else []
    else:
        rows = [row for row in history.dead_letters(limit, code=code) if row.replayed_at is None]
    count = Replays(settings, history).send(rows)
    screen.print(f"replayed {count} records of {len(rows)} dead letters")


class Replays:
    """Produces records again: one producer and one way to the object store for a whole command.

    Raises:
        ConfigError: the broker's or the object store's settings are wrong.
    """

    def __init__(self, settings: Settings, history: TimescaleHistory) -> None:
        self._media = S3Media(settings.media)
        self._producer = EventProducer(settings.kafka)
        self._history = history

    def send(self, rows: Sequence[DeadLetterRow]) -> int:
        """Produce each record once, with its original timestamp and a `replay_of` header; marked after delivery.

        Raises:
            InputError: the bytes of one cannot be read; none is marked.
            DependencyError: broker, database or object store; none is marked, but some may have been produced.
        """
        records: dict[tuple[str, int, int], DeadLetter] = {}
        for row in rows:
            ref = row.dead_letter.record
            records.setdefault((ref.topic, ref.partition, ref.offset), row.dead_letter)
        for letter in records.values():
            self._produce(letter)
        self._producer.flush()
        letters = [(row.dead_letter.record, row.dead_letter.stage) for row in rows]
        self._history.mark_replayed(letters, datetime.now(UTC))
        return len(records)

    def _produce(self, letter: DeadLetter) -> None:
        headers = [header for header in letter.headers if header[0] != "replay_of"]
        origin = f"{letter.record.topic}:{letter.record.partition}:{letter.record.offset}"
        self._producer.send_bytes(
            letter.key,
            self._payload(letter),
            headers=[*headers, ("replay_of", origin.encode())],
            timestamp_ms=int(letter.record_time.timestamp() * 1e3),
        )

    def _payload(self, letter: DeadLetter) -> bytes:
        if letter.payload is not None:
            return letter.payload
        bucket, _, key = (letter.payload_uri or "").removeprefix("s3://").partition("/")
        return self._media.get_bytes(bucket, key)


def _summary(row: DeadLetterRow) -> dict[str, str]:
    letter = row.dead_letter
    ref = letter.record
    return {
        "id": f"{ref.topic}:{ref.partition}:{ref.offset}:{letter.stage}",
        "code": letter.code,
        "stage": letter.stage,
        "video_id": letter.video_id or "",
        "died_at": letter.died_at.isoformat(timespec="seconds"),
        "replayed_at": row.replayed_at.isoformat(timespec="seconds") if row.replayed_at else "",
        "message": letter.message,
    }


def _parse_id(dead_id: str) -> tuple[RecordRef, str]:
    try:
        key = OfLetter.parse(dead_id)
    except ValueError as error:
        raise ConfigError(
            f"{dead_id!r} is not topic:partition:offset:stage, as `clipwarden dead-letters list` prints"
        ) from error
    return key.record, key.stage
