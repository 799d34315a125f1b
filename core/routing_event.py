"""What a route's receiver gets: one JSON object, signed; and how a receiver checks it. Pure."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from core.routing import Alert, Digest

SCHEMA = "clipwarden.alert.v1"
AGENT = "clipwarden-router"
DELIVERY = "X-Clipwarden-Delivery"
"""The same at every attempt: a receiver that has seen it has the alert."""
IDEMPOTENCY = "Idempotency-Key"
TIMESTAMP = "X-Clipwarden-Timestamp"
SIGNATURE = "X-Clipwarden-Signature"
REPLAY_WINDOW_S = 300
"""A receiver refuses what was signed longer ago, or as far ahead."""


class RoutedKind(StrEnum):
    """What a delivery holds."""

    ALERT = "alert"
    DIGEST = "digest"
    TEST = "test"


class AlertRouted(BaseModel):
    """One delivery of a route (`clipwarden.alert.v1`): an alert, a digest of what was held back, or a test.

    `alert` and `digest` are each there for their kind alone. `caption` is null unless the route asks for it. `link`
    opens the alert in the console.
    """

    schema_: Literal["clipwarden.alert.v1"] = Field(default="clipwarden.alert.v1", alias="schema")
    delivery_id: UUID
    kind: RoutedKind
    link: str
    alert: Alert | None = None
    caption: str | None = None
    digest: Digest | None = None

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    def to_bytes(self) -> bytes:
        """As it is sent, and signed."""
        return self.model_dump_json(by_alias=True).encode()


def signature(secret: str, body: bytes, *, timestamp_s: int) -> str:
    """HMAC-SHA256 over `timestamp.body`, in hexadecimal, named by its version."""
    message = str(timestamp_s).encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def headers(secret: str, body: bytes, *, delivery_id: UUID, now: datetime) -> dict[str, str]:
    """What goes with a body; made anew for each attempt."""
    timestamp_s = int(now.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        DELIVERY: str(delivery_id),
        IDEMPOTENCY: str(delivery_id),
        TIMESTAMP: str(timestamp_s),
        SIGNATURE: signature(secret, body, timestamp_s=timestamp_s),
    }


def is_genuine(secret: str, body: bytes, *, fields: Mapping[str, str], now: datetime) -> bool:
    """What a receiver asks before it believes a delivery: signed with the secret, and lately."""
    timestamp = fields.get(TIMESTAMP, "")
    if not (timestamp.isascii() and timestamp.isdecimal()) or abs(now.timestamp() - int(timestamp)) > REPLAY_WINDOW_S:
        return False
    expected = signature(secret, body, timestamp_s=int(timestamp))
    return hmac.compare_digest(expected.encode(), fields.get(SIGNATURE, "").encode())
