"""An item of the ledger → the event that is posted of it; the row holds all that the event says."""

import re

from pydantic import ValidationError

from core.errors import EventInvalid
from core.events import VideoPosted
from core.storage.items import Item

_OUTSIDE_IDS = re.compile(r"[^A-Za-z0-9_.:-]")
_MAX_ID_CHARS = 128


def video_id(platform: str, name: str) -> str:
    """An id out of a platform and what names the video there."""
    return _OUTSIDE_IDS.sub("_", f"{platform}:{name}")[:_MAX_ID_CHARS]


def event_of(item: Item) -> VideoPosted:
    """The event of an item whose content is known.

    Raises:
        EventInvalid: it cannot be said as an event, e.g. by the length of its caption.
    """
    try:
        return VideoPosted(
            schema_="video.posted.v1",
            video_id=item.video_id or "",
            media_uri=item.media_uri,
            caption=item.caption,
            hashtags=item.hashtags,
            author_id=item.author_id,
            platform=item.platform or "unknown",
            language=item.language,
            posted_at=item.posted_at or item.found_at,
            source=item.source,
            sha256=item.sha256,
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise EventInvalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
