"""Forgetting a video: its rows and a tombstone at once, then its objects, then the screens."""

import structlog

from core.errors import CacheUnavailable
from core.events import MEDIA_URI
from core.storage.items import Forgotten
from core.storage.ledger import Ledger
from core.storage.ports import LiveView, MediaStore

BY_ITSELF = "ingestion"
"""Who forgets a video again that came back."""

_log = structlog.get_logger()


class Eraser:
    """Erases; whatever is cut short goes on with the next call, here or in any process that works the ledger."""

    def __init__(self, ledger: Ledger, media: MediaStore, live: LiveView) -> None:
        self._ledger = ledger
        self._media = media
        self._live = live

    def forget(self, video_id: str, by: str) -> Forgotten:
        """Erase a video from every store; it is not taken in again.

        Raises:
            StoreUnavailable: nothing was erased.
            ObjectsUnavailable, CacheUnavailable: its rows are gone; the rest follows with the next call.
        """
        done = self._ledger.forget(video_id, by)
        _log.info("video.forgotten", video_id=video_id, by=by, rows=done.rows, objects=done.objects)
        self._live.forget(video_id)
        self.delete_doomed()
        return done

    def forget_again(self) -> int:
        """Erase what came back since: an event that was on its way, or one that somebody sent again."""
        back = self._ledger.came_back()
        for video_id in back:
            try:
                self._live.forget(video_id)
            except CacheUnavailable:
                # Rows first; as long as they are there, so is the next try.
                continue
            self._ledger.forget(video_id, BY_ITSELF)
            _log.warning("video.came_back", video_id=video_id)
        return len(back)

    def delete_doomed(self) -> int:
        """Delete the objects that nobody needs any more; returns how many."""
        return self._ledger.remove_doomed(self._delete)

    def _delete(self, uri: str) -> None:
        if match := MEDIA_URI.match(uri):
            self._media.remove(match[1], match[2])
