"""The video itself, for who may see it: a link that lives for minutes, and a row in the audit log that it was given."""

from collections.abc import Collection
from enum import StrEnum
from typing import Protocol

from core.access import Capability, Person
from core.errors import MediaMissing
from core.events import MEDIA_URI
from core.storage.audit_log import Act, note
from core.storage.database import Database
from core.storage.ports import MediaStore

_URI = "SELECT body->>'media_uri' FROM videos WHERE video_id = %(video_id)s"


class Look(StrEnum):
    """How a person sees a video."""

    OPENED = "opened"
    """In the player, blurred."""
    RENEWED = "renewed"
    """Still in the player, after its link ran out."""
    UNBLURRED = "unblurred"


class RawMedia(Protocol):
    """Videos for people."""

    def see_media(self, person: Person, video_id: str, look: Look = Look.OPENED, *, visit: str) -> str:
        """A short-lived link to the video.

        Guarantee: in the audit log stands one row per link, written before the link is given; its `visit` names the
        person's session.

        Raises:
            Forbidden: the person may not see media.
            MediaMissing: no such video, or it has none.
            StoreUnavailable: what cannot be recorded is not shown.
        """


class AuditedMedia:
    """Links from the object store, noted in the database; see RawMedia.

    Args:
        buckets: videos are in these alone, whatever an event says.
    """

    def __init__(self, database: Database, media: MediaStore, buckets: Collection[str]) -> None:
        self._database = database
        self._media = media
        self._buckets = frozenset(buckets)

    def see_media(self, person: Person, video_id: str, look: Look = Look.OPENED, *, visit: str) -> str:
        """A short-lived link to the video, after its row in the audit log."""
        person.require(Capability.SEE_MEDIA)
        with self._database.transaction() as connection:
            row = connection.execute(_URI, {"video_id": video_id}).fetchone()
            bucket, key = media_place(row[0] if row else None, self._buckets)
            note(connection, person, Act.SAW_MEDIA, video_id, look=look, visit=visit)
        return self._media.presign(bucket, key)


def media_place(uri: str | None, buckets: Collection[str]) -> tuple[str, str]:
    """Bucket and key of a video.

    Raises:
        MediaMissing: it names none, or a bucket that holds no videos.
    """
    found = MEDIA_URI.match(uri or "")
    if found is None or found[1] not in buckets:
        raise MediaMissing("there is no video behind this post")
    return found[1], found[2]
