import json
from datetime import UTC, datetime

import pytest

from core.errors import IngestError
from core.errors_ingest import IngestCaptcha, IngestGone, IngestLoginRequired, IngestRateLimited
from ingestion.crawl.adapter import FoundVideo, ItemFault
from ingestion.crawl.tiktok import TikTok
from tests.fixtures.hashtags import item, item_list

ADAPTER = TikTok()


class Shown:
    """A page with this address on which one selector matches."""

    def __init__(self, url: str = "https://www.tiktok.com/tag/cats", selector: str = "") -> None:
        self.url = url
        self._selector = selector

    def shows(self, selector: str) -> bool:
        return selector == self._selector


def test_an_item_becomes_a_video_with_all_that_the_page_says() -> None:
    listing = ADAPTER.parse_items(item_list([item(5, textExtra=[{"hashtagName": "dogs"}, {"hashtagName": "cats"}])]))

    assert listing.videos == (
        FoundVideo(
            video_id="tiktok:7300000000000000005",
            platform="tiktok",
            link="https://www.tiktok.com/@some.body_5/video/7300000000000000005",
            caption="clip 5 #cats",
            hashtags=("cats", "dogs"),
            author_id="some.body_5",
            posted_at=datetime.fromtimestamp(1_760_000_005, UTC),
        ),
    )
    assert not listing.skipped


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ("words", ItemFault.ITEM),
        (None, ItemFault.ITEM),
        (item(1, id=73), ItemFault.ID),
        (item(1, id="73/../../login"), ItemFault.ID),
        (item(1, id="9" * 33), ItemFault.ID),
        (item(1, author="somebody"), ItemFault.AUTHOR),
        (item(1, author={"uniqueId": "a@evil.test/x"}), ItemFault.AUTHOR),
        (item(1, desc="x" * 20_001), ItemFault.CAPTION),
        (item(1, desc="nul \x00"), ItemFault.CAPTION),
        (item(1, desc=["words"]), ItemFault.CAPTION),
        (item(1, challenges="cats"), ItemFault.HASHTAGS),
        (item(1, challenges=[{"title": "x" * 257}]), ItemFault.HASHTAGS),
        (item(1, createTime="soon"), ItemFault.TIME),
        (item(1, createTime=10**18), ItemFault.TIME),
        (item(1, createTime=-1), ItemFault.TIME),
        (item(1, imagePost={"images": [{}]}), ItemFault.NO_VIDEO),
    ],
)
def test_a_bad_item_is_skipped_with_its_fault_and_the_others_are_kept(bad: object, fault: ItemFault) -> None:
    listing = ADAPTER.parse_items(item_list([item(0), bad, item(2)]))

    assert [video.video_id[-1] for video in listing.videos] == ["0", "2"]
    assert dict(listing.skipped) == {fault: 1}


def test_a_video_has_a_link_caption_and_hashtags_of_bounded_size() -> None:
    many = [{"hashtagName": f"tag{number}"} for number in range(500)]

    (video,) = ADAPTER.parse_items(item_list([item(0, desc="", challenges=None, textExtra=many)])).videos

    assert video.caption is None
    assert len(video.hashtags) == 100


@pytest.mark.parametrize("body", ['{"itemList": [{"id"', "[1]", "<html>", '{"itemList": "x"}', "[" * 100_000, '{"statusCode": 10101}'])  # fmt: skip  # noqa: E501
def test_an_answer_of_another_form_is_counted_and_not_fatal(body: str) -> None:
    assert dict(ADAPTER.parse_items(body).skipped) == {ItemFault.ANSWER: 1}


@pytest.mark.parametrize(
    ("body", "wall"),
    [
        ("", IngestRateLimited),
        (json.dumps({"code": "10000", "type": "verify", "subtype": "slide"}), IngestCaptcha),
        (json.dumps({"statusCode": 10000, "itemList": []}), IngestCaptcha),
        (json.dumps({"status_code": 10102}), IngestLoginRequired),
        (json.dumps({"statusCode": 10205}), IngestGone),
    ],
)
def test_an_answer_that_is_a_wall_says_which(body: str, wall: type[IngestError]) -> None:
    with pytest.raises(wall):
        ADAPTER.parse_items(body)


def test_the_site_says_that_there_is_no_more() -> None:
    assert ADAPTER.parse_items(item_list([item(0)], has_more=False)).is_last
    assert not ADAPTER.parse_items(item_list([item(0)])).is_last
    assert not ADAPTER.parse_items('{"itemList": []}').is_last


@pytest.mark.parametrize(
    ("url", "is_items"),
    [
        ("https://www.tiktok.com/api/challenge/item_list/?challengeID=1&cursor=0", True),
        ("https://www.tiktok.com/api/recommend/item_list/?cursor=0", False),
        ("https://www.tiktok.com.evil.test/api/challenge/item_list/", False),
        ("https://evil.test/api/challenge/item_list/", False),
        ("http://www.tiktok.com/api/challenge/item_list/", False),
    ],
)
def test_only_the_sites_own_answers_are_read(url: str, *, is_items: bool) -> None:
    assert ADAPTER.is_items_response(url) is is_items


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (Shown(), None),
        (Shown(selector=".captcha-verify-container"), "ingest.captcha"),
        (Shown(selector="#loginContainer"), "ingest.login"),
        (Shown(url="https://www.tiktok.com/login?redirect_url=x"), "ingest.login"),
    ],
)
def test_walls_are_recognised_by_what_the_page_shows(page: Shown, code: str | None) -> None:
    wall = ADAPTER.recognise(page)

    assert (wall and wall.code) == code


def test_a_hashtag_cannot_leave_its_place_in_the_address() -> None:
    assert ADAPTER.hashtag_url("tín_dụng") == "https://www.tiktok.com/tag/t%C3%ADn_d%E1%BB%A5ng"
    assert ADAPTER.hashtag_url("../x?y") == "https://www.tiktok.com/tag/..%2Fx%3Fy"
