"""Links and lists of links → items for the ledger; one video has one key, however its link is written. Pure."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import SplitResult, urlsplit, urlunsplit

from core.errors import ConfigError, IngestError
from core.errors_ingest import IngestLinkInvalid, IngestSchemeRefused
from core.storage.items import NewItem, Sighting

SOURCE = "import"
MAX_LINK_CHARS = 2_048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_BLANKS = re.compile(r"[\x00-\x20\x7f]")
# Of a site's many ways to write a link, what names the video: host (or any below it), path with query, platform.
_VIDEOS = (
    (
        "tiktok.com",
        re.compile(r"/(?:@[^/]*/(?:video|photo)|v|embed(?:/v2)?)/(\d{6,24})(?:\.html)?(?:[/?]|$)"),
        "tiktok",
    ),
    ("youtube.com", re.compile(r"/(?:(?:shorts|embed|live)/|watch\?(?:.*&)?v=)([\w-]{11})(?:[/?&]|$)"), "youtube"),
    ("youtu.be", re.compile(r"/([\w-]{11})(?:[/?]|$)"), "youtube"),
)


@dataclass(frozen=True)
class RefusedLine:
    """A line of a list that names nothing to fetch, with the reason's code."""

    line: int
    code: str
    message: str


def normalised(link: str) -> str:
    """The link as the ledger writes it: host in lower case and ASCII, no default port, no fragment.

    Raises:
        IngestLinkInvalid: it does not parse, names no host, carries credentials, or holds blanks.
        IngestSchemeRefused: neither http nor https.
    """
    link = link.strip()
    if len(link) > MAX_LINK_CHARS or _BLANKS.search(link):
        raise IngestLinkInvalid(f"{link[:80]!r} is no link: it is over {MAX_LINK_CHARS} characters, or holds blanks")
    parts, port = _split(link)
    if parts.scheme not in _DEFAULT_PORTS:
        raise IngestSchemeRefused(f"{link[:80]!r} is not fetched: only http and https are")
    if not parts.hostname or "@" in parts.netloc:
        # Not quoted: a message is kept and shown, and credentials must not be.
        raise IngestLinkInvalid("the link names no host, or carries credentials; give the plain link")
    host = _host(parts.hostname)
    netloc = host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, ""))


def link_key(link: str) -> str:
    """The item_key of a normalised link: the platform's own id where the link names it, else the link itself."""
    parts = urlsplit(link)
    host, rest = parts.hostname or "", f"{parts.path}?{parts.query}"
    for site, video, platform in _VIDEOS:
        if (host == site or host.endswith(f".{site}")) and (match := video.match(rest)):
            return f"{platform}:{match[1]}"
    return f"link:{link}"


def read_links(file: Path, *, now: datetime, tool: str) -> Iterator[NewItem | RefusedLine]:
    """Read a list with the column `link` and, if they are there, `hashtag`, `description` and `label`.

    The description becomes the caption until fetching tells a better one. The label is kept as what the list said.

    Raises:
        ConfigError: the file cannot be read, is no CSV in UTF-8, or has no column `link`.
    """
    try:
        # A list saved by a spreadsheet begins with a byte-order mark.
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines, strict=True)
            if "link" not in (rows.fieldnames or ()):
                raise ConfigError(
                    f"{file} has no column `link`; its first line should be hashtag,link,description,label"
                )
            for row in rows:
                yield _item(row, rows.line_num, now=now, tool=tool)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{file} is no CSV in UTF-8: {error}; nothing after that place was read") from error


def _item(row: dict[str, str | None], line: int, *, now: datetime, tool: str) -> NewItem | RefusedLine:
    said = {name: (row.get(name) or "").strip() or None for name in ("hashtag", "description", "label")}
    try:
        link = normalised(row["link"] or "")
    except IngestError as error:
        return RefusedLine(line, error.code, error.message)
    sighting = Sighting(now, SOURCE, link=link, hashtag=said["hashtag"], label=said["label"], tool=tool)
    return NewItem(link_key(link), sighting, link=link, caption=said["description"])


def _host(name: str) -> str:
    """In ASCII, as it is looked up: digits of another script are digits, and no second spelling is a second item."""
    if ":" in name:
        return f"[{name}]"
    try:
        return name.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise IngestLinkInvalid("the link's host is no name") from error


def _split(link: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(link)
        port = parts.port
    except ValueError as error:
        raise IngestLinkInvalid(f"{link[:80]!r} is no link: {error}") from error
    return parts, port
