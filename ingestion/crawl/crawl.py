"""The crawl: hashtags one after the other, politely; walls are waited out or reported, and what was found is kept."""

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack

import structlog

from core.clock import Clock
from core.errors import BrowserUnavailable, DependencyError, IngestError
from core.errors_ingest import IngestCaptcha, IngestLoginRequired, IngestRateLimited
from core.settings_ingestion import IngestionSettings
from ingestion.crawl.adapter import FoundVideo, PlatformAdapter, check_tag
from ingestion.crawl.scroll import Ending, Harvest, Scroll, Sink, Window

STORE_WAIT_S = 2.0
JITTER = 0.3
WALLS_OF_THE_SESSION = (IngestCaptcha, IngestLoginRequired, IngestRateLimited)
"""What turned one hashtag away would turn away the next: the round ends."""

log = structlog.get_logger()


class Patience:
    """How long to wait; never twice the same, as a rhythm strains a site and gives a robot away."""

    def __init__(self, settings: IngestionSettings, chance: random.Random) -> None:
        self._settings = settings
        self._chance = chance

    def between_tags_s(self) -> float:
        """Before the next hashtag."""
        return self._about(self._settings.crawl_pause_s)

    def after_failure_s(self, attempts: int, error: IngestError | BrowserUnavailable) -> float | None:
        """Before the next attempt; None: not in this round."""
        is_hopeless = isinstance(error, IngestError) and not error.is_passing
        if is_hopeless or attempts >= self._settings.crawl_attempts:
            return None
        asked_s = (isinstance(error, IngestRateLimited) and error.retry_after_s) or 0.0
        longest_s = self._settings.crawl_backoff_max_s
        wait_s = self._about(min(longest_s, self._settings.crawl_backoff_s * 2.0 ** (attempts - 1)))
        return max(asked_s, wait_s) if asked_s <= longest_s else None

    def before_round_s(self, every_s: float, elapsed_s: float) -> float:
        """Before the next round."""
        return max(0.0, self._about(every_s) - elapsed_s)

    def _about(self, wait_s: float) -> float:
        return wait_s * self._chance.uniform(1 - JITTER, 1 + JITTER)


class Crawl:
    """Crawls one platform; browsers are opened when needed, and every video goes to the sink once a round."""

    def __init__(
        self,
        adapter: PlatformAdapter,
        open_browser: Callable[[], AbstractContextManager[Window]],
        sink: Sink,
        *,
        settings: IngestionSettings,
        clock: Clock,
        wait: Callable[[float], None],
    ) -> None:
        self._adapter = adapter
        self._open_browser = open_browser
        self._sink = sink
        self._settings = settings
        self._clock = clock
        self._wait = wait
        self._patience = Patience(settings, random.Random())  # noqa: S311 - politeness needs no secret
        self._window: Window | None = None
        self._open = ExitStack()

    def round(self, tags: Sequence[str], most: int) -> list[Harvest]:
        """Crawl each hashtag once, up to `most` videos of each.

        Returns:
            One for each hashtag, in order; none is left out, as a wall is an ending too.

        Raises:
            ConfigError: a hashtag is none, or no browser is installed; nothing was crawled.
        """
        harvests = [Harvest(check_tag(tag), most) for tag in tags]
        try:
            for number, harvest in enumerate(harvests):
                if number:
                    self._wait(self._patience.between_tags_s())
                self._harvest(harvest)
                if isinstance(harvest.failure, WALLS_OF_THE_SESSION):
                    _end_unvisited(harvests[number + 1 :], harvest.failure)
                    break
        finally:
            self._close()
        return harvests

    def repeat(
        self, tags: Sequence[str], most: int, *, every_s: float, report: Callable[[list[Harvest]], None]
    ) -> None:
        """A round about every `every_s`, for ever; each is reported when it ends. Raises what `round` does."""
        while True:
            started_s = self._clock.monotonic_s()
            report(self.round(tags, most))
            self._wait(self._patience.before_round_s(every_s, self._clock.monotonic_s() - started_s))

    def _harvest(self, harvest: Harvest) -> None:
        while harvest.ending is None:
            harvest.attempts += 1
            try:
                harvest.ending = self._scroll().collect(harvest, self._deliver)
                harvest.failure = None
            except (IngestError, BrowserUnavailable) as error:
                self._after_failure(harvest, error)
        log.info("crawl.tag", tag=harvest.tag, ending=harvest.ending.value, videos=len(harvest.videos))

    def _after_failure(self, harvest: Harvest, error: IngestError | BrowserUnavailable) -> None:
        # The next attempt comes with a fresh browser: a session that met a wall keeps meeting it.
        self._close()
        harvest.failure = error
        wait_s = self._patience.after_failure_s(harvest.attempts, error)
        log.warning("crawl.failed", tag=harvest.tag, code=error.code, attempt=harvest.attempts, next_try_in_s=wait_s)
        if wait_s is None:
            harvest.ending = Ending.WALL
        else:
            self._wait(wait_s)

    def _scroll(self) -> Scroll:
        if self._window is not None and self._window.is_spent:
            self._close()
        if self._window is None:
            self._window = self._open.enter_context(self._open_browser())
        return Scroll(
            self._window,
            self._adapter,
            dry_after_s=self._settings.crawl_dry_s,
            clock=self._clock,
            wait=self._wait,
        )

    def _deliver(self, videos: Sequence[FoundVideo]) -> None:
        """A store that is away is waited for: what a page showed once it may not show again."""
        while True:
            try:
                self._sink(videos)
            except DependencyError as error:
                log.warning("crawl.waits", code=error.code, videos=len(videos))
                self._wait(STORE_WAIT_S)
            else:
                return

    def _close(self) -> None:
        self._window = None
        self._open.close()


def _end_unvisited(harvests: Sequence[Harvest], failure: IngestError) -> None:
    for harvest in harvests:
        harvest.ending, harvest.failure = Ending.WALL, failure
