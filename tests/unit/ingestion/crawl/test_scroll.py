from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from core.clock import FixedClock
from core.errors import IngestError, StoreUnavailable
from core.errors_ingest import (
    IngestCaptcha,
    IngestForbidden,
    IngestGone,
    IngestLoginRequired,
    IngestRateLimited,
    IngestServerFailed,
)
from ingestion.crawl.adapter import FoundVideo
from ingestion.crawl.scroll import Ending, Harvest, Scroll
from ingestion.crawl.tiktok import TikTok
from tests.fixtures.window import HandWindow, answered, listed

LOGIN = "#loginContainer"


class Reader:
    """Scrolls a window by hand, with a clock that only waiting moves."""

    def __init__(self, window: HandWindow, *, most: int = 100) -> None:
        self.found: list[FoundVideo] = []
        self.harvest = Harvest("cats", most)
        self.clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
        self._scroll = Scroll(window, TikTok(), dry_after_s=10, clock=self.clock, wait=self._wait)

    def read(self) -> Ending:
        return self._scroll.collect(self.harvest, self.found.extend)

    def numbers(self) -> list[int]:
        return [int(video.video_id[-3:]) for video in self.found]

    def _wait(self, wait_s: float) -> None:
        self.clock.elapsed_s += wait_s


def test_it_scrolls_until_enough_and_takes_no_more() -> None:
    reader = Reader(HandWindow([], [listed(1, 2)], [], [listed(2, 3, 4, 5)]), most=4)

    assert reader.read() is Ending.ENOUGH
    assert reader.numbers() == [1, 2, 3, 4]


def test_every_video_names_the_hashtag_whose_page_listed_it() -> None:
    reader = Reader(HandWindow([listed(1, has_more=False)]))

    assert reader.read() is Ending.LAST
    assert reader.found[0].listed_under == "cats"


def test_a_page_that_repeats_itself_is_dry_and_ends() -> None:
    window = HandWindow([listed(1)], *([listed(1)] for _ in range(1_000)))
    reader = Reader(window)

    assert reader.read() is Ending.DRY
    assert reader.numbers() == [1]
    assert window.scrolled == 20


def test_a_browser_at_its_limit_is_left_with_what_it_gave() -> None:
    window = HandWindow([listed(1)])
    window.is_spent = True
    reader = Reader(window)

    assert reader.read() is Ending.SPENT
    assert reader.numbers() == [1]


def test_what_came_before_a_wall_is_kept() -> None:
    reader = Reader(HandWindow([listed(1), answered(status=429, retry_after_s=7.0)]))

    with pytest.raises(IngestRateLimited) as raised:
        reader.read()

    assert raised.value.retry_after_s == 7.0
    assert reader.numbers() == [1]


def test_a_wall_that_slides_over_the_page_is_recognised_once_nothing_new_comes() -> None:
    reader = Reader(HandWindow([listed(1)], selector=LOGIN))

    with pytest.raises(IngestLoginRequired):
        reader.read()

    assert reader.clock.elapsed_s < 10
    assert reader.numbers() == [1]


def test_a_notice_over_a_page_that_still_gives_is_no_wall() -> None:
    reader = Reader(HandWindow([listed(1)], [listed(2)], [listed(3, has_more=False)], selector=LOGIN))

    assert reader.read() is Ending.LAST


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, IngestRateLimited), (403, IngestForbidden), (404, IngestGone), (410, IngestGone), (500, IngestServerFailed)],
)
def test_a_page_that_is_refused_says_why(status: int, error: type[IngestError]) -> None:
    with pytest.raises(error):
        Reader(HandWindow(status=status)).read()


def test_a_captcha_is_a_captcha_with_whatever_status_it_comes() -> None:
    with pytest.raises(IngestCaptcha):
        Reader(HandWindow(status=403, selector=".captcha-verify-container")).read()


def test_what_could_not_be_read_is_counted_by_its_fault() -> None:
    reader = Reader(HandWindow([answered(None), answered("nonsense"), listed(1, has_more=False)]))

    reader.read()

    assert dict(reader.harvest.skipped) == {"answer.unread": 1, "answer.malformed": 1}


def test_a_video_counts_only_once_it_is_kept() -> None:
    def refuse(_: Sequence[FoundVideo]) -> None:
        raise StoreUnavailable("away")

    reader = Reader(HandWindow([listed(1)]))

    with pytest.raises(StoreUnavailable):
        reader._scroll.collect(reader.harvest, refuse)

    assert not reader.harvest.videos
