"""One hashtag page: scroll until enough, until the site has no more, or until it runs dry."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Protocol

import structlog

from core.clock import Clock
from core.errors import IngestError, PlatformError
from core.errors_ingest import IngestForbidden, IngestGone, IngestRateLimited, IngestServerFailed
from ingestion.crawl.adapter import FoundVideo, ItemFault, Listing, PlatformAdapter
from ingestion.crawl.browser import Answer
from ingestion.crawl.network import Head

TURN_S = 0.5
WALL_AFTER_S = 2.0

REFUSALS: dict[int, type[IngestError]] = {
    HTTPStatus.UNAUTHORIZED: IngestForbidden,
    HTTPStatus.FORBIDDEN: IngestForbidden,
    HTTPStatus.NOT_FOUND: IngestGone,
    HTTPStatus.GONE: IngestGone,
}

Sink = Callable[[Sequence[FoundVideo]], None]
"""Takes what was found, for good; raises DependencyError when it cannot."""

log = structlog.get_logger()


class Ending(StrEnum):
    """Why a hashtag's page was left."""

    ENOUGH = "enough"
    LAST = "last"
    """The site said that there is no more."""
    DRY = "dry"
    """Nothing new came for a while."""
    SPENT = "spent"
    """The browser ran for as long as one may."""
    WALL = "wall"
    """The site, or the browser, failed; `failure` tells."""


class Window(Protocol):
    """What scrolling needs of a browser."""

    @property
    def url(self) -> str:
        """Where the page is now."""
        ...

    @property
    def document(self) -> Head | None:
        """How the site answered for the page itself."""
        ...

    @property
    def is_spent(self) -> bool:
        """Whether it ran for as long as one may."""
        ...

    def shows(self, selector: str) -> bool:
        """Whether an element that matches is on the page."""
        ...

    def open(self, url: str, is_wanted: Callable[[str], bool]) -> None:
        """Load a page and keep its wanted answers."""
        ...

    def answers(self) -> Iterator[Answer]:
        """Those that came since the last call."""
        ...

    def scroll(self) -> None:
        """Go to the end of the page."""
        ...


@dataclass
class Harvest:
    """What a hashtag gave so far; a second attempt goes on with it."""

    tag: str
    most: int
    videos: set[str] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    ending: Ending | None = None
    failure: PlatformError | None = None

    def pick(self, listing: Listing) -> list[FoundVideo]:
        """What is new of an answer, up to the most that was asked for."""
        self.skipped.update({fault.value: count for fault, count in listing.skipped.items()})
        fresh = {video.video_id: video for video in listing.videos if video.video_id not in self.videos}
        return list(fresh.values())[: self.most - len(self.videos)]


class Scroll:
    """Reads hashtag pages of one platform in one window."""

    def __init__(
        self,
        window: Window,
        adapter: PlatformAdapter,
        *,
        dry_after_s: float,
        clock: Clock,
        wait: Callable[[float], None],
    ) -> None:
        self._window = window
        self._adapter = adapter
        self._dry_after_s = dry_after_s
        self._clock = clock
        self._wait = wait

    def collect(self, harvest: Harvest, sink: Sink) -> Ending:
        """Scroll through the page of `harvest.tag`; what is found goes to the sink at once, and counts only then.

        Raises:
            IngestError: a wall, as the page, its status or an answer told; what came before it is in the sink.
            BrowserUnavailable: the browser hung or died.
        """
        self._window.open(self._adapter.hashtag_url(harvest.tag), self._adapter.is_items_response)
        last_new_s = self._clock.monotonic_s()
        while True:
            before = len(harvest.videos)
            is_last = self._read(harvest, sink)
            self._refuse(self._window.document)
            now_s = self._clock.monotonic_s()
            last_new_s = now_s if len(harvest.videos) > before else last_new_s
            if now_s - last_new_s >= WALL_AFTER_S:
                self._refuse_wall()
            if ending := self._ending(harvest, idle_s=now_s - last_new_s, is_last=is_last):
                return ending
            self._window.scroll()
            self._wait(TURN_S)

    def _ending(self, harvest: Harvest, *, idle_s: float, is_last: bool) -> Ending | None:
        if len(harvest.videos) >= harvest.most:
            return Ending.ENOUGH
        if is_last:
            return Ending.LAST
        if self._window.is_spent:
            return Ending.SPENT
        return Ending.DRY if idle_s >= self._dry_after_s else None

    def _read(self, harvest: Harvest, sink: Sink) -> bool:
        is_last = False
        for answer in self._window.answers():
            listing = self._listing(answer)
            is_last = is_last or listing.is_last
            if fresh := harvest.pick(listing):
                sink([video.model_copy(update={"listed_under": harvest.tag}) for video in fresh])
                harvest.videos |= {video.video_id for video in fresh}
            if listing.skipped:
                log.warning("crawl.skipped", tag=harvest.tag, items=dict(listing.skipped))
        return is_last

    def _listing(self, answer: Answer) -> Listing:
        self._refuse(answer.head)
        if answer.body is None:
            return Listing(skipped={ItemFault.UNREAD: 1})
        return self._adapter.parse_items(answer.body)

    def _refuse(self, head: Head | None) -> None:
        if head is not None and head.status >= HTTPStatus.BAD_REQUEST:
            # A wall may come with any status, and says more.
            self._refuse_wall()
            raise _refusal(head)

    def _refuse_wall(self) -> None:
        wall = self._adapter.recognise(self._window)
        if wall is not None:
            raise wall


def _refusal(head: Head) -> IngestError:
    if head.status == HTTPStatus.TOO_MANY_REQUESTS:
        return IngestRateLimited("the site asks to wait (429)", head.retry_after_s)
    return REFUSALS.get(head.status, IngestServerFailed)(f"the site answers with {head.status}")
