import json
from dataclasses import dataclass

import pytest

from ingestion.crawl.adapter import FoundVideo, ItemFault
from ingestion.crawl.youtube import YouTubeShorts
from ingestion.links import link_key
from tests.fixtures.shorts import browse, page_with, short, shorts

ADAPTER = YouTubeShorts()


@dataclass
class Shown:
    """A page at an address, with nothing of note on it."""

    url: str

    def shows(self, _: str) -> bool:
        return False


def test_the_page_and_the_answers_that_follow_it_are_read_alike() -> None:
    (first,) = ADAPTER.parse_items(page_with([short(1)], continuation=6)).videos
    following = ADAPTER.parse_items(browse(6)).videos

    assert first == FoundVideo(
        video_id="youtube:vid-0000001",
        platform="youtube",
        link="https://www.youtube.com/shorts/vid-0000001",
        caption="short 1 #cats",
        hashtags=("cats",),
    )
    assert [video.video_id[-2:] for video in following] == ["06", "07", "08", "09", "10", "11"]
    assert link_key(first.link) == first.video_id


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ("words", ItemFault.ID),
        (short(1, onTap={}), ItemFault.ID),
        (short(1, onTap={"innertubeCommand": {"reelWatchEndpoint": {"videoId": "../../login"}}}), ItemFault.ID),
        (short(1, overlayMetadata={"primaryText": {"content": "x" * 20_001}}), ItemFault.CAPTION),
        (short(1, overlayMetadata={"primaryText": {"content": 7}}), ItemFault.CAPTION),
    ],
)
def test_a_bad_item_is_skipped_with_its_fault_and_the_others_are_kept(bad: object, fault: ItemFault) -> None:
    listing = ADAPTER.parse_items(json.dumps(shorts([short(0), bad, short(2)])))

    assert [video.video_id[-1] for video in listing.videos] == ["0", "2"]
    assert dict(listing.skipped) == {fault: 1}


def test_the_end_is_a_list_without_a_next_one() -> None:
    assert ADAPTER.parse_items(browse(12)).is_last
    assert not ADAPTER.parse_items(browse(6)).is_last
    assert not ADAPTER.parse_items('{"guide": []}').is_last


@pytest.mark.parametrize("body", ["", "<html>no data</html>", "var ytInitialData = {", "[" * 100_000])
def test_an_answer_of_another_form_is_counted_and_not_fatal(body: str) -> None:
    assert dict(ADAPTER.parse_items(body).skipped) == {ItemFault.ANSWER: 1}


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://www.youtube.com/hashtag/cats/shorts", None),
        ("https://www.google.com/sorry/index?continue=x", "ingest.captcha"),
        ("https://consent.youtube.com/m?continue=x", "ingest.login"),
    ],
)
def test_walls_are_recognised_by_where_the_page_ended_up(url: str, code: str | None) -> None:
    wall = ADAPTER.recognise(Shown(url))

    assert (wall and wall.code) == code
