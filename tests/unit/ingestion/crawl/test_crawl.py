import random
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from core.clock import FixedClock
from core.errors import BrowserUnavailable, ConfigError, IngestError, StoreUnavailable
from core.errors_ingest import IngestCaptcha, IngestGone, IngestLoginRequired, IngestRateLimited, IngestTimeout
from core.settings_ingestion import IngestionSettings
from ingestion.crawl.adapter import FoundVideo
from ingestion.crawl.crawl import Crawl, Patience
from ingestion.crawl.scroll import Ending, Harvest
from ingestion.crawl.tiktok import TikTok
from tests.fixtures.window import HandWindow, answered, listed, one_after_the_other

SETTINGS = IngestionSettings(crawl_attempts=3, crawl_backoff_s=30, crawl_backoff_max_s=600, crawl_pause_s=10)


class Run:
    """A crawl through windows by hand, with a clock that only waiting moves."""

    def __init__(self, *windows: HandWindow, settings: IngestionSettings = SETTINGS) -> None:
        self.found: list[FoundVideo] = []
        self.waits_s: list[float] = []
        self.clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.away = 0
        opener = one_after_the_other(*windows)
        self.crawl = Crawl(TikTok(), opener, self._keep, settings=settings, clock=self.clock, wait=self._wait)

    def _keep(self, videos: Sequence[FoundVideo]) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        self.found.extend(videos)

    def _wait(self, wait_s: float) -> None:
        self.waits_s.append(wait_s)
        self.clock.elapsed_s += wait_s


def test_hashtags_share_a_browser_with_a_pause_between_them() -> None:
    window = HandWindow([listed(1, has_more=False)], [listed(2, has_more=False)])
    run = Run(window)

    harvests = run.crawl.round(["cats", "#dogs"], 10)

    assert [(harvest.tag, harvest.ending) for harvest in harvests] == [("cats", Ending.LAST), ("dogs", Ending.LAST)]
    assert window.opened == ["https://www.tiktok.com/tag/cats", "https://www.tiktok.com/tag/dogs"]
    assert window.is_closed
    assert 7 <= run.waits_s[0] <= 13


def test_after_a_wall_another_browser_goes_on_where_the_first_stopped() -> None:
    first, second = HandWindow([listed(1), answered(status=503)]), HandWindow([listed(1, 2)])
    run = Run(first, second)

    (harvest,) = run.crawl.round(["cats"], 2)

    assert harvest.ending is Ending.ENOUGH
    assert harvest.failure is None
    assert harvest.attempts == 2
    assert [video.video_id[-1] for video in run.found] == ["1", "2"]
    assert first.is_closed


def test_a_browser_that_died_is_replaced() -> None:
    run = Run(HandWindow([BrowserUnavailable("hung")]), HandWindow([listed(1)]))

    (harvest,) = run.crawl.round(["cats"], 1)

    assert harvest.ending is Ending.ENOUGH


def test_a_browser_at_its_limit_is_replaced_for_the_next_hashtag() -> None:
    old, fresh = HandWindow([listed(1)]), HandWindow([listed(2)])
    old.is_spent = True

    first, second = Run(old, fresh).crawl.round(["cats", "dogs"], 2)

    assert first.ending is Ending.SPENT
    assert old.is_closed
    assert len(second.videos) == 1


def test_attempts_end_and_the_wall_is_reported() -> None:
    run = Run(*(HandWindow([answered(status=503)]) for _ in range(3)))

    (harvest,) = run.crawl.round(["cats"], 10)

    assert harvest.ending is Ending.WALL
    assert harvest.attempts == 3
    assert harvest.failure is not None
    assert harvest.failure.code == "ingest.server"


def test_a_wall_that_stands_for_the_session_ends_the_round_and_no_hashtag_is_left_out() -> None:
    run = Run(HandWindow(selector="#loginContainer"))

    harvests = run.crawl.round(["cats", "dogs", "birds"], 10)

    assert [harvest.ending for harvest in harvests] == [Ending.WALL] * 3
    assert {harvest.failure.code for harvest in harvests if harvest.failure} == {"ingest.login"}
    assert [harvest.attempts for harvest in harvests] == [1, 0, 0]


def test_a_hashtag_that_is_gone_does_not_stop_the_next() -> None:
    gone, there = Run(HandWindow([answered(status=404)]), HandWindow([listed(1)])).crawl.round(["cats", "dogs"], 1)

    assert gone.failure is not None
    assert gone.failure.code == "ingest.gone"
    assert there.ending is Ending.ENOUGH


def test_a_store_that_is_away_is_waited_for_and_nothing_found_is_lost() -> None:
    run = Run(HandWindow([listed(1, 2, has_more=False)]))
    run.away = 50

    run.crawl.round(["cats"], 10)

    assert len(run.found) == 2
    assert len(run.waits_s) == 50


def test_an_odd_hashtag_is_refused_before_a_browser_is_opened() -> None:
    with pytest.raises(ConfigError):
        Run().crawl.round(["cats", "../login"], 10)


class EnoughRoundsError(Exception):
    """Ends a crawl that goes on for ever."""


def test_rounds_follow_each_other_and_each_is_reported() -> None:
    run = Run(HandWindow([listed(1)]), HandWindow([listed(2)]))
    starts_s: list[float] = []

    def report(_: list[Harvest]) -> None:
        starts_s.append(run.clock.elapsed_s)
        if len(starts_s) == 2:
            raise EnoughRoundsError

    with pytest.raises(EnoughRoundsError):
        run.crawl.repeat(["cats"], 1, every_s=3_600, report=report)

    assert len(run.found) == 2
    assert 0.7 * 3_600 <= starts_s[1] - starts_s[0] <= 1.3 * 3_600


@pytest.mark.parametrize(
    ("attempts", "error", "least_s", "most_s"),
    [
        (1, IngestTimeout("slow"), 21, 39),
        (2, IngestCaptcha("?"), 42, 78),
        (2, BrowserUnavailable("died"), 42, 78),
        (1, IngestRateLimited("429", 300.0), 300, 300),
        (1, IngestRateLimited("429"), 21, 39),
    ],
)
def test_the_wait_doubles_jitters_and_is_never_shorter_than_the_site_asks(
    attempts: int, error: IngestError, least_s: float, most_s: float
) -> None:
    waits_s = {Patience(SETTINGS, random.Random(seed)).after_failure_s(attempts, error) for seed in range(50)}

    assert all(wait_s is not None and least_s <= wait_s <= most_s for wait_s in waits_s)
    assert len(waits_s) > 1 or least_s == most_s


@pytest.mark.parametrize(
    ("attempts", "error"),
    [
        (3, IngestTimeout("slow")),
        (1, IngestLoginRequired("?")),
        (1, IngestGone("404")),
        (1, IngestRateLimited("429", 601.0)),
    ],
)
def test_what_is_not_worth_another_attempt_gets_none(attempts: int, error: IngestError) -> None:
    assert Patience(SETTINGS, random.Random(0)).after_failure_s(attempts, error) is None
