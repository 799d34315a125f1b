"""Links → files, by yt-dlp, in a process that can reach nothing but the gate."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from core.settings import Settings

if TYPE_CHECKING:
    from ingestion.download.fetcher import Downloader


@contextmanager
def downloader(settings: Settings) -> Iterator["Downloader"]:
    """The fetcher of links with its own gate; leaving the block stops what is under way.

    Raises:
        ConfigError: the cookies file may not be used.
    """
    # The downloading process imports this package too, and needs none of these.
    from ingestion.download.fetcher import Downloader  # noqa: PLC0415
    from ingestion.egress.gate import Gate  # noqa: PLC0415

    with Gate(settings.ingestion) as gate, closing(Downloader(gate, settings.ingestion)) as fetcher:
        yield fetcher
