"""What the crawl asks of a platform's adapter, and the video an adapter finds: the first step of a crawled link."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from core.errors import ConfigError, IngestError
from core.events import MAX_CAPTION_CHARS, MAX_HASHTAGS, VIDEO_ID_PATTERN, ShortText, Storable
from ingestion.links import MAX_LINK_CHARS

MAX_TAG_CHARS = 100


class ItemFault(StrEnum):
    """Why an item, or a whole answer, was skipped; strangers write both."""

    ANSWER = "answer.malformed"
    UNREAD = "answer.unread"
    ITEM = "item.malformed"
    ID = "item.id"
    AUTHOR = "item.author"
    CAPTION = "item.caption"
    HASHTAGS = "item.hashtags"
    TIME = "item.time"
    NO_VIDEO = "item.no_video"


Caption = Annotated[Storable, StringConstraints(max_length=MAX_CAPTION_CHARS)]


class FoundVideo(BaseModel):
    """A video that a page listed, checked and bounded: later steps may trust its form, never its words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    video_id: str = Field(pattern=VIDEO_ID_PATTERN)
    platform: ShortText
    link: str = Field(pattern=r"^https?://", max_length=MAX_LINK_CHARS)
    caption: Caption | None
    hashtags: Annotated[tuple[ShortText, ...], Field(max_length=MAX_HASHTAGS)]
    author_id: ShortText | None = None
    posted_at: AwareDatetime | None = None
    listed_under: ShortText | None = None
    """The hashtag whose page listed it."""


@dataclass(frozen=True)
class Listing:
    """One answer of a hashtag page; `skipped` counts what could not be used, by its fault."""

    videos: tuple[FoundVideo, ...] = ()
    skipped: Mapping[ItemFault, int] = field(default_factory=dict)
    is_last: bool = False


class Page(Protocol):
    """What the browser shows now."""

    @property
    def url(self) -> str:
        """Where it ended up."""
        ...

    def shows(self, selector: str) -> bool:
        """Whether an element that matches is there."""
        ...


class PlatformAdapter(Protocol):
    """All that is particular to one platform: its addresses, selectors and formats live here and nowhere else."""

    platform: str
    cookie_domain: str
    terms: str
    """What its owner says of reading it by machine; kept with every sighting."""

    def hashtag_url(self, tag: str) -> str:
        """The page that lists a hashtag's videos."""
        ...

    def is_items_response(self, url: str) -> bool:
        """Whether an answer from this address lists videos."""
        ...

    def parse_items(self, body: str) -> Listing:
        """Read such an answer; a bad item is skipped and counted.

        Raises:
            IngestError: the answer is a wall: login, captcha, rate limit, no such hashtag.
        """
        ...

    def recognise(self, page: Page) -> IngestError | None:
        """The wall the page is, if it is one."""
        ...


def check_tag(tag: str) -> str:
    """A hashtag without its `#`, in one spelling.

    Raises:
        ConfigError: it holds more than letters, digits, their marks and underscores, so it could change an address.
    """
    name = unicodedata.normalize("NFC", tag.strip().removeprefix("#"))
    if not (0 < len(name) <= MAX_TAG_CHARS and all(map(_is_of_a_tag, name))):
        raise ConfigError(
            f"{tag[:MAX_TAG_CHARS]!r} is no hashtag: give 1 to {MAX_TAG_CHARS} letters, digits or underscores"
        )
    return name


def _is_of_a_tag(character: str) -> bool:
    # Thai and Indic words are spelt with combining marks, which are no letters.
    return character == "_" or character.isalnum() or unicodedata.category(character) in {"Mn", "Mc"}
