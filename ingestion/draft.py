"""One file or text on its way into the ledger: what is said of it, what it is, what becomes of it."""

import hashlib
import socket
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from core.errors import InputError
from core.storage.items import Failure, Item, ItemState, NewItem, Sighting
from ingestion.folders import fingerprint
from ingestion.inspect import Inspected

_ENDED_BADLY = (ItemState.REFUSED, ItemState.FAILED)


@dataclass(frozen=True)
class Post:
    """What a person says about a file; `video_id` None: one derived from its content, which is then posted once."""

    caption: str | None = None
    video_id: str | None = None
    source: str = "produce"
    platform: str = "local"
    language: str | None = None
    author_id: str | None = None
    posted_at: datetime | None = None


Line = tuple[Path | None, Post]
"""A file and what is said of it; without a file, a text."""


@dataclass(frozen=True)
class Taken:
    """What became of one line.

    Attributes:
        item: its row in the ledger; still open when its source is paused, or another process works on it.
        refusal: why it was not taken in, now or before.
        is_new: it was posted just now; else it had been before, or repeats another.
    """

    line: Line
    item: Item | None
    refusal: Failure | None
    is_new: bool


@dataclass
class Draft:
    """One line under way; `opened` holds the inspected file open until it is stored."""

    line: Line
    opened: ExitStack = field(default_factory=ExitStack)
    video: Inspected | None = None
    item: Item | None = None
    refusal: Failure | None = None
    is_new: bool = False

    @property
    def source(self) -> str:
        """What metrics count by."""
        return self.line[1].source

    def drop(self) -> None:
        """Let go of the file; that it changed matters no more."""
        with suppress(InputError):
            self.opened.close()

    def taken(self) -> Taken:
        """The end of it."""
        refusal, item = self.refusal, self.item
        if refusal is None and item is not None and item.state in _ENDED_BADLY:
            refusal = Failure(item.code or "", item.message or "")
        return Taken(self.line, item, refusal, is_new=self.is_new)


def line_item(draft: Draft, now: datetime) -> NewItem:
    """The item of a line that was accepted: under the id it was given, else under its content."""
    path, post = draft.line
    content = f"sha256:{draft.video.sha256}" if draft.video else f"text:{_sha256(post.caption or '')[:20]}"
    return NewItem(
        item_key=post.video_id or content,
        sighting=Sighting(now, post.source, link=path.name if path else None, tool="produce"),
        path=str(path.absolute()) if path else None,
        host=socket.gethostname() if path else None,
        video_id=post.video_id or (None if draft.video else f"{post.platform}:{content.replace(':', '-')}"),
        is_distinct=post.video_id is not None,
        caption=post.caption,
        author_id=post.author_id,
        platform=post.platform,
        language=post.language,
        posted_at=post.posted_at or now,
    )


def file_item(draft: Draft, now: datetime) -> NewItem:
    """The item of a file that was refused: this state of this file, which may be put right."""
    path, post = draft.line
    where = f"{socket.gethostname()}:{path.absolute() if path else ''}:{fingerprint(path) if path else ''}"
    sighting = Sighting(now, post.source, link=path.name if path else None, tool="produce")
    return NewItem(f"file:{_sha256(where)[:40]}", sighting, caption=post.caption, platform=post.platform)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
