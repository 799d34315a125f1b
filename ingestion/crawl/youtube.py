"""YouTube Shorts: hashtag pages, whose first videos lie in the page itself and the others in its `browse` answers."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import AliasPath, BaseModel, ConfigDict, Field, ValidationError

from core.errors import IngestError
from core.errors_ingest import IngestCaptcha, IngestLoginRequired
from core.events import MAX_HASHTAGS
from ingestion.crawl.adapter import MAX_TAG_CHARS, Caption, FoundVideo, ItemFault, Listing, Page

SITE = "https://www.youtube.com"
ITEMS_PATH = "/youtubei/v1/browse"
PAGES_PATH = "/hashtag/"
ITEM, MORE = "shortsLockupViewModel", "continuationItemRenderer"
IN_PAGE = re.compile(r"\bytInitialData\s*=\s*(?={)")
HASHTAG = re.compile(rf"#(\w{{1,{MAX_TAG_CHARS}}})")
CAPTCHA_PATH = "/sorry/"
CONSENT_HOST, LOGIN_HOST = "consent.youtube.com", "accounts.google.com"


class _Item(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    id: str = Field(
        pattern=r"^[A-Za-z0-9_-]{11}$",
        validation_alias=AliasPath("onTap", "innertubeCommand", "reelWatchEndpoint", "videoId"),
    )
    title: Caption = Field(default="", validation_alias=AliasPath("overlayMetadata", "primaryText", "content"))


class YouTubeShorts:
    """The adapter; a list names neither author nor time, which fetching tells later."""

    platform = "youtube"
    cookie_domain = "youtube.com"
    terms = "YouTube's terms of service; reading it by machine needs its permission"

    def __init__(self, site: str = SITE) -> None:
        self._site = site.rstrip("/")

    def hashtag_url(self, tag: str) -> str:
        """The page that lists a hashtag's Shorts."""
        return f"{self._site}{PAGES_PATH}{quote(tag, safe='')}/shorts"

    def is_items_response(self, url: str) -> bool:
        """Whether an answer from this address lists videos: the page itself does too."""
        found, site = urlsplit(url), urlsplit(self._site)
        is_ours = (found.scheme, found.netloc) == (site.scheme, site.netloc)
        return is_ours and (found.path == ITEMS_PATH or found.path.startswith(PAGES_PATH))

    def parse_items(self, body: str) -> Listing:
        """Read the page or a `browse` answer; a bad item is skipped and counted."""
        answer = _parse(body)
        if answer is None:
            return Listing(skipped={ItemFault.ANSWER: 1})
        read = [self._read(item) for item in _all_under(answer, ITEM)]
        videos = tuple(found for found in read if isinstance(found, FoundVideo))
        skipped = Counter(found for found in read if isinstance(found, ItemFault))
        # An answer about something else says nothing of an end.
        is_last = bool(read) and not any(_all_under(answer, MORE))
        return Listing(videos, skipped, is_last)

    def recognise(self, page: Page) -> IngestError | None:
        """The wall the page is, if it is one."""
        found = urlsplit(page.url)
        if found.path.startswith(CAPTCHA_PATH):
            return IngestCaptcha("the page shows a captcha; crawl more slowly, or give cookies of a session")
        if found.hostname in (CONSENT_HOST, LOGIN_HOST):
            return IngestLoginRequired("the page asks for consent or a login; give cookies of a session")
        return None

    def _read(self, raw: object) -> FoundVideo | ItemFault:
        try:
            item = _Item.model_validate(raw)
        except ValidationError as error:
            where = {part for fault in error.errors(include_url=False, include_input=False) for part in fault["loc"]}
            return ItemFault.CAPTION if "overlayMetadata" in where else ItemFault.ID
        return FoundVideo(
            video_id=f"{self.platform}:{item.id}",
            platform=self.platform,
            link=f"{self._site}/shorts/{item.id}",
            caption=item.title or None,
            hashtags=tuple(dict.fromkeys(HASHTAG.findall(item.title)))[:MAX_HASHTAGS],
        )


def _parse(body: str) -> object | None:
    in_page = IN_PAGE.search(body)
    try:
        parsed: object = json.JSONDecoder().raw_decode(body, in_page.end() if in_page else 0)[0]
    except (ValueError, RecursionError):
        return None
    return parsed


def _all_under(answer: object, name: str) -> Iterator[object]:
    """What lies under a name, however deep; by a list of our own, as the depth is a stranger's."""
    rest: list[Any] = [answer]
    while rest:
        node = rest.pop()
        if isinstance(node, dict):
            if name in node:
                yield node[name]
            rest += reversed([value for key, value in node.items() if key != name])
        elif isinstance(node, list):
            rest += reversed(node)
