"""Found videos → items of the ledger: the crawl's sink."""

from collections.abc import Sequence

from core.clock import Clock
from core.storage.items import NewItem, Sighting
from core.storage.ledger import Ledger
from ingestion.crawl.adapter import FoundVideo

SOURCE = "crawl"


class LedgerSink:
    """Notes what was found; a video that is known gains a sighting and nothing else.

    Args:
        tool: what found it, with its version.
        terms: the note on what may be done with it.
    """

    def __init__(self, ledger: Ledger, *, tool: str, terms: str, clock: Clock) -> None:
        self._ledger = ledger
        self._tool = tool
        self._terms = terms
        self._clock = clock

    def __call__(self, videos: Sequence[FoundVideo]) -> None:
        """Note them in one transaction; raises StoreUnavailable."""
        self._ledger.found([self._item(video) for video in videos])

    def _item(self, video: FoundVideo) -> NewItem:
        return NewItem(
            # The platform's own id: the same video by another link is the same item.
            item_key=video.video_id,
            sighting=self._sighting(video),
            link=video.link,
            video_id=video.video_id,
            caption=video.caption,
            hashtags=video.hashtags,
            author_id=video.author_id,
            platform=video.platform,
            posted_at=video.posted_at,
        )

    def _sighting(self, video: FoundVideo) -> Sighting:
        return Sighting(
            seen_at=self._clock.now(),
            source=SOURCE,
            link=video.link,
            hashtag=video.listed_under,
            tool=self._tool,
            terms=self._terms,
        )
