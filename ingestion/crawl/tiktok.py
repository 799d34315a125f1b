"""TikTok: its hashtag pages, the `item_list` answers they load while scrolling, and its walls."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.errors import IngestError
from core.errors_ingest import IngestCaptcha, IngestGone, IngestLoginRequired, IngestRateLimited
from core.events import MAX_HASHTAGS, ShortText
from ingestion.crawl.adapter import Caption, FoundVideo, ItemFault, Listing, Page

SITE = "https://www.tiktok.com"
ITEMS_PATH = "/api/challenge/item_list/"
LOGIN_PATH = "/login"
CAPTCHA_SELECTORS = (
    ".captcha-verify-container",
    ".captcha_verify_container",
    "#captcha_container",
    "#captcha-verify-image",
)
LOGIN_SELECTORS = ("#loginContainer", "[data-e2e='login-modal']")
LAST_SECOND = 4_102_444_800  # The year 2100: past it, a time is no time.

# The numbers that the site's own page knows (its error table is public).
CAPTCHA_CODES = {10_000, 10_113, 10_114}
LOGIN_CODES = {10_102, 10_119}
GONE_CODES = {10_205: "no such hashtag", 10_209: "hashtag blocked", 10_211: "hashtag blocked", 10_212: "hashtag hidden"}

FAULTS = {
    "id": ItemFault.ID,
    "desc": ItemFault.CAPTION,
    "author": ItemFault.AUTHOR,
    "challenges": ItemFault.HASHTAGS,
    "textExtra": ItemFault.HASHTAGS,
    "createTime": ItemFault.TIME,
}


def _none_is_empty(value: object) -> object:
    return [] if value is None else value


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class _Author(_Part):
    unique_id: str = Field(alias="uniqueId", pattern=r"^[A-Za-z0-9_.]{1,64}$")


class _Challenge(_Part):
    title: ShortText = ""


class _TextExtra(_Part):
    hashtag_name: ShortText = Field(default="", alias="hashtagName")


class _Item(_Part):
    # An author or an id of other letters could lead the link elsewhere.
    id: str = Field(pattern=r"^[0-9]{1,32}$")
    desc: Caption = ""
    create_time: int = Field(alias="createTime", strict=False, ge=0, le=LAST_SECOND)
    author: _Author
    challenges: Annotated[list[_Challenge], BeforeValidator(_none_is_empty)] = []
    text_extra: Annotated[list[_TextExtra], BeforeValidator(_none_is_empty)] = Field(default=[], alias="textExtra")

    def hashtags(self) -> Iterator[str]:
        yield from (challenge.title for challenge in self.challenges)
        yield from (extra.hashtag_name for extra in self.text_extra)


class TikTok:
    """The adapter; `site` is another one in tests only."""

    platform = "tiktok"
    cookie_domain = "tiktok.com"
    terms = "TikTok's terms of service; reading it by machine needs its permission"

    def __init__(self, site: str = SITE) -> None:
        self._site = site.rstrip("/")

    def hashtag_url(self, tag: str) -> str:
        """The page that lists a hashtag's videos."""
        return f"{self._site}/tag/{quote(tag, safe='')}"

    def is_items_response(self, url: str) -> bool:
        """Whether an answer from this address lists videos: of this site, not of one that it embeds."""
        found, site = urlsplit(url), urlsplit(self._site)
        return (found.scheme, found.netloc, found.path) == (site.scheme, site.netloc, ITEMS_PATH)

    def parse_items(self, body: str) -> Listing:
        """Read an `item_list` answer; a bad item is skipped and counted.

        Raises:
            IngestError: the answer is a wall: login, captcha, rate limit, no such hashtag.
        """
        if not body.strip():
            raise IngestRateLimited("an empty answer, with which the site turns away whom it takes for a robot")
        answer = _parse_object(body)
        if answer is None:
            return Listing(skipped={ItemFault.ANSWER: 1})
        _refuse_wall(answer)
        items = answer.get("itemList") or []
        if not isinstance(items, list) or (_status(answer) and not items):
            return Listing(skipped={ItemFault.ANSWER: 1})
        return self._listing(items, is_last=answer.get("hasMore") is False)

    def recognise(self, page: Page) -> IngestError | None:
        """The wall the page is, if it is one."""
        if any(map(page.shows, CAPTCHA_SELECTORS)):
            return IngestCaptcha("the page shows a captcha; crawl more slowly, or give cookies of a session")
        if urlsplit(page.url).path.startswith(LOGIN_PATH) or any(map(page.shows, LOGIN_SELECTORS)):
            return IngestLoginRequired("the page asks for a login; give cookies of a session")
        return None

    def _listing(self, items: list[object], *, is_last: bool) -> Listing:
        read = [self._read(item) for item in items]
        videos = tuple(found for found in read if isinstance(found, FoundVideo))
        skipped = Counter(found for found in read if isinstance(found, ItemFault))
        return Listing(videos, skipped, is_last)

    def _read(self, raw: object) -> FoundVideo | ItemFault:
        if isinstance(raw, dict) and raw.get("imagePost"):
            return ItemFault.NO_VIDEO
        try:
            return self._video(_Item.model_validate(raw))
        except ValidationError as error:
            where = error.errors(include_url=False, include_input=False)[0]["loc"][:1]
            return FAULTS.get(str(where[0]), ItemFault.ITEM) if where else ItemFault.ITEM

    def _video(self, item: _Item) -> FoundVideo:
        hashtags = dict.fromkeys(name for name in item.hashtags() if name)
        return FoundVideo(
            video_id=f"{self.platform}:{item.id}",
            platform=self.platform,
            link=f"{self._site}/@{item.author.unique_id}/video/{item.id}",
            caption=item.desc or None,
            # More than a post may carry stand in the caption still.
            hashtags=tuple(hashtags)[:MAX_HASHTAGS],
            author_id=item.author.unique_id,
            posted_at=datetime.fromtimestamp(item.create_time, UTC),
        )


def _parse_object(body: str) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _refuse_wall(answer: dict[str, Any]) -> None:
    code = _status(answer)
    if answer.get("type") == "verify" or code in CAPTCHA_CODES:
        raise IngestCaptcha(f"the site's answer asks for a captcha (code {code})")
    if code in LOGIN_CODES:
        raise IngestLoginRequired(f"the site's answer asks for a login (code {code}); give cookies of a session")
    if code in GONE_CODES:
        raise IngestGone(f"{GONE_CODES[code]} (code {code})")


def _status(answer: dict[str, Any]) -> int:
    found = answer.get("statusCode", answer.get("status_code", 0))
    return found if isinstance(found, int) else 0
