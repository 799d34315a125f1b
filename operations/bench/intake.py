"""A file → an object in the media store and its event, past the ledger: what measures scoring alone posts so."""

import hashlib
from pathlib import Path

from core.clock import Clock
from core.events import VideoPosted
from core.media.cage import Cage
from core.settings import Settings
from core.storage.ports import MediaStore
from ingestion.inspect import Inspector
from ingestion.kafka import EventProducer
from ingestion.posts import Post


class Intake:
    """Takes files and texts in."""

    def __init__(
        self, media: MediaStore, producer: EventProducer, *, cage: Cage, settings: Settings, clock: Clock
    ) -> None:
        self._media = media
        self._producer = producer
        self._inspector = Inspector(cage, settings.decode)
        self._bucket = settings.media.bucket
        self._clock = clock

    def post_file(self, path: Path, post: Post) -> VideoPosted:
        """Upload a video and send its event; raises what `store_file` raises."""
        return self._send(self.store_file(path, post))

    def post_text(self, post: Post) -> VideoPosted:
        """Send a text-only post."""
        digest = hashlib.sha256((post.caption or "").encode()).hexdigest()
        video_id = post.video_id or f"local:text-{digest[:20]}"
        return self._send(self._event(post, video_id=video_id, media_uri=None, sha256=None))

    def store_file(self, path: Path, post: Post) -> VideoPosted:
        """Upload a video; returns its event, which is not sent yet.

        Raises:
            IngestError, MediaError: the file is no video we take, with the reason; nothing was stored.
            ObjectsUnavailable: the store is away; nothing was sent.
        """
        with self._inspector.inspected(path) as video:
            self._media.put_file(self._bucket, video.object_key, video.handle, video.content_type)
        video_id = post.video_id or f"local:{video.sha256[:20]}"
        uri = f"s3://{self._bucket}/{video.object_key}"
        return self._event(post, video_id=video_id, media_uri=uri, sha256=video.sha256)

    def _send(self, event: VideoPosted) -> VideoPosted:
        self._producer.send(event)
        return event

    def _event(self, post: Post, *, video_id: str, media_uri: str | None, sha256: str | None) -> VideoPosted:
        return VideoPosted(
            schema_="video.posted.v1",
            video_id=video_id,
            media_uri=media_uri,
            caption=post.caption,
            hashtags=post.hashtags,
            platform=post.platform,
            language=post.language,
            author_id=post.author_id,
            posted_at=post.posted_at or self._clock.now(),
            source=post.source,
            sha256=sha256,
        )
