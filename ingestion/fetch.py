"""What it means to fetch a link: the seam between the ledger's workers and whatever brings bytes in."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Fetched:
    """A file in the folder that was given, and what its page said of it; nothing of that has been believed yet.

    Attributes:
        platform_id: the video's id there; with `platform` it names the video.
        tool: what fetched it, with its version, for provenance.
    """

    path: Path
    tool: str
    platform: str
    platform_id: str | None = None
    caption: str | None = None
    hashtags: tuple[str, ...] = ()
    author_id: str | None = None
    posted_at: datetime | None = None


class Fetcher(Protocol):
    """Brings a link's video onto this machine; safe to use from any thread."""

    def fetch(self, link: str, into: Path) -> Fetched:
        """Fetch one video into an existing, empty folder, under a name of our own.

        Raises:
            IngestError: it was not fetched, with the reason's code; `is_passing` says whether to try again.
        """
        ...
