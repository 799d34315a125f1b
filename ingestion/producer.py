"""Other teams' posts → `video.posted.v1`: validated as the flow will, confirmed by the broker; docs/feeding.md."""

import difflib
import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from core.errors import DeliveryFailed, EventInvalid
from core.events import VideoPosted
from core.settings import KafkaSettings
from ingestion.kafka import EventProducer

FIELDS = frozenset(field.alias or name for name, field in VideoPosted.model_fields.items())


class VideoEventProducer:
    """Sends posts to the platform; leaving its `with` block proves that the broker has every one of them.

    An event that the flow would refuse is refused here, with the same code, before it is sent. An event may be sent
    again: the same video with the same caption is one verdict. One thread uses it at a time.

        with VideoEventProducer("kafka:9092", buckets=("clipwarden-media",)) as producer:
            producer.send({"video_id": "shop:17", "media_uri": "s3://clipwarden-media/shop/17.mp4", ...})

    Args:
        brokers: `host:port`, several of them separated by commas.
        buckets: those the platform reads (CLIPWARDEN_MEDIA__ALLOWED_BUCKETS); a media_uri outside them is refused.
        timeout_s: how long the broker may take to confirm.
    """

    def __init__(
        self, brokers: str, *, buckets: tuple[str, ...] = ("clipwarden-media",), timeout_s: float = 30.0
    ) -> None:
        self._buckets = buckets
        self._waiting: Counter[str] = Counter()
        self._producer = EventProducer(
            KafkaSettings(brokers=brokers, request_timeout_s=timeout_s), on_delivered=self._confirmed
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.flush()
            return
        # What the block failed with is what its caller must see; it did not end, so nothing of it counts as proven.
        with suppress(DeliveryFailed):
            self.flush()

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """The video_ids that were sent and not confirmed: after a DeliveryFailed, those to send again."""
        return tuple(self._waiting)

    def send(self, event: Mapping[str, Any], *, traceparent: str | None = None) -> VideoPosted:
        """Validate one event and hand it to the client; `flush` or the end of the block proves its delivery.

        Args:
            event: the fields of docs/schemas/video.posted.v1.schema.json, values as in JSON; `schema` may be left out.
            traceparent: a W3C trace context, which the verdict will carry.

        Returns:
            The event as it was sent.

        Raises:
            EventInvalid: or the subclass whose code names the reason; nothing was sent.
            DeliveryFailed: the client refuses it; nothing of it was sent.
        """
        _check_names(event)
        posted = VideoPosted.parse(_to_json({"schema": "video.posted.v1", **event}), allowed_buckets=self._buckets)
        headers = [("traceparent", traceparent.encode())] if traceparent else []
        # Counted first: the report may come while the client still takes the event.
        self._waiting[posted.video_id] += 1
        try:
            self._producer.send(posted, headers=headers)
        except DeliveryFailed:
            self._confirmed(posted.video_id)
            raise
        return posted

    def flush(self) -> None:
        """Wait until every event sent so far is confirmed.

        Raises:
            DeliveryFailed: some are not; `unconfirmed` names them until the next `flush`.
        """
        self._producer.flush()
        self._waiting.clear()

    def _confirmed(self, video_id: str) -> None:
        self._waiting[video_id] -= 1
        if not self._waiting[video_id]:
            del self._waiting[video_id]


def _check_names(event: Mapping[str, Any]) -> None:
    # The flow ignores what it does not know; here a misspelt `caption` would be a caption nobody ever judged.
    for name in sorted(set(event) - FIELDS):
        near = difflib.get_close_matches(name, FIELDS, n=1, cutoff=0.0)[0]
        raise EventInvalid(f"{name!r} is no field of video.posted.v1; did you mean {near!r}?")


def _to_json(event: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(event).encode()
    except (TypeError, ValueError) as error:
        raise EventInvalid(f"it is no JSON ({error}); give values as in JSON, times as RFC 3339 text") from error
