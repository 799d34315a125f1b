"""What decides that two items are one video; the same in the database and in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core.errors_ingest import IngestForgotten
from core.storage.items import Item, ItemState, NewItem

FORGOTTEN_MESSAGE = "erased on request, and not taken in again"


@dataclass(frozen=True)
class Fate:
    """What the ledger already knows of a video that an item turned out to be.

    Attributes:
        twin: the video_id under which the same video is posted.
        sha256: of its bytes, None where equal bytes do not make equal videos.
    """

    item_id: int
    is_forgotten: bool
    twin: str | None
    video_id: str | None = None
    sha256: str | None = None


def fates_of(batch: Iterable[Fate]) -> list[Fate]:
    """The same, with those that repeat an earlier one of the batch, which is about to be posted."""
    posted: dict[tuple[str, str], str] = {}
    fates = []
    for fate in sorted(batch, key=lambda fate: fate.item_id):
        marks = [(kind, mark) for kind, mark in (("video", fate.video_id), ("bytes", fate.sha256)) if mark]
        twin = fate.twin or next((posted[mark] for mark in marks if mark in posted), None)
        if twin is None and not fate.is_forgotten and fate.video_id:
            posted.update(dict.fromkeys(marks, fate.video_id))
        fates.append(replace(fate, twin=twin))
    return fates


def forgotten_item(item: NewItem) -> Item:
    """What stands for an item that is not taken in again, and of which nothing is kept."""
    now = datetime.now(UTC)
    return Item(
        item_id=0,
        item_key=item.item_key,
        source=item.sighting.source,
        state=ItemState.REFUSED,
        found_at=now,
        updated_at=now,
        next_try=now,
        code=IngestForgotten.code,
        message=FORGOTTEN_MESSAGE,
    )
