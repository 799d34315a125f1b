"""What a person says about files and texts → items for the ledger; lists of posts, read line by line."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from core.storage.items import NewItem, Sighting
from ingestion.folders import fingerprint

SCHEMA = "schema"
_EXAMPLE = 'each line is an object such as {"file": "a.mp4", "caption": "hello"}'


@dataclass(frozen=True)
class Post:
    """What a person says about a file; `video_id` None: one derived from its content."""

    caption: str | None = None
    video_id: str | None = None
    source: str = "produce"
    platform: str = "local"
    language: str | None = None
    author_id: str | None = None
    posted_at: datetime | None = None
    hashtags: tuple[str, ...] = ()


_FIELDS = frozenset(field.name for field in fields(Post)) | {"file"}


RecordedEvent = Mapping[str, Any]
"""A line that is an event already: `video.posted.v1` as it once was on the topic."""

Line = tuple[Path | None, Post] | RecordedEvent


def item_of(path: Path | None, post: Post, *, host: str, tool: str, now: datetime) -> NewItem:
    """The item of a file, or of a text-only post where there is none.

    One whose sender named it is a video of its own, whatever others have the same bytes. One without a name is known
    again by its place while it stays as it is, which needs no reading, and anywhere else by its bytes.

    Args:
        path: of the file; None for words alone.
        post: what is said of it.
        host: where the path is good.
        tool: what takes it in, with its version.
        now: when.
    """
    named, words_id = post.video_id, f"local:text-{_digest(post.caption or '')[:20]}"
    path = None if path is None else path.absolute()
    file_key = f"file:{host}:{_digest(f'{path} {path and fingerprint(path)}')[:32]}"
    return NewItem(
        item_key=named or (words_id if path is None else file_key),
        sighting=Sighting(now, post.source, tool=tool),
        path=None if path is None else str(path),
        host=None if path is None else host,
        video_id=named or (words_id if path is None else None),
        is_distinct=named is not None,
        caption=post.caption,
        hashtags=post.hashtags,
        author_id=post.author_id,
        platform=post.platform,
        language=post.language,
        posted_at=post.posted_at,
    )


def _digest(text: str) -> str:
    # Names of files may hold bytes that are no text.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_posts(file: Path) -> Iterator[Line]:
    """Read a list of JSON objects, one a line: posts, whose `file` is relative to the list, or recorded events.

    Raises:
        ConfigError: the file cannot be read, or a line is neither; it is named, and nothing after it was read.
    """
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _line(line, file.parent, f"{file}, line {number}")
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not UTF-8: {error}") from error


def _line(line: str, folder: Path, where: str) -> Line:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}; {_EXAMPLE}") from error
    if not isinstance(row, dict):
        raise ConfigError(f"{where} is no object; {_EXAMPLE}")
    if SCHEMA in row:
        return row
    if unknown := sorted(set(row) - _FIELDS):
        raise ConfigError(f"{where}: {unknown[0]!r} is none of {', '.join(sorted(_FIELDS))}")
    file = row.pop("file", None)
    return (folder / file if file else None), _post(row, where)


def _post(row: dict[str, Any], where: str) -> Post:
    posted_at = row.pop("posted_at", None)
    try:
        at = datetime.fromisoformat(posted_at) if posted_at is not None else None
        post = Post(**row | {"posted_at": at, "hashtags": tuple(row.get("hashtags", ()))})
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{where}: {error}; {_EXAMPLE}") from error
    texts = (post.caption, post.video_id, post.source, post.platform, post.language, post.author_id, *post.hashtags)
    if not all(text is None or isinstance(text, str) for text in texts):
        raise ConfigError(f"{where}: a value is no text; {_EXAMPLE}")
    if at is not None and at.tzinfo is None:
        raise ConfigError(f"{where}: posted_at needs its time zone, as in 2026-11-22T09:30:00Z")
    return post
