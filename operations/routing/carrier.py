"""What brings a delivery to its receiver, and what it comes back with."""

from dataclasses import dataclass
from typing import Protocol

import httpx

from core.routing import Alert, Digest
from core.routing_event import AlertRouted, RoutedKind
from core.storage.deliveries import Parcel


@dataclass(frozen=True)
class Answer:
    """What came of one attempt.

    Attributes:
        status: of HTTP or SMTP; None when there was no answer.
        text: the answer's first characters, or why there is none; data of others.
        is_taken: the receiver has it.
        is_final: trying again would change nothing.
        wait_s: how long the receiver asks to be left alone; 0 when it does not say.
    """

    status: int | None
    text: str
    is_taken: bool = False
    is_final: bool = False
    wait_s: float = 0.0


class Carrier(Protocol):
    """Brings parcels to receivers; safe to share between threads."""

    def send(self, parcel: Parcel) -> Answer:
        """Make one attempt, within twice the router's `timeout_s`; what goes wrong is an answer too."""


def event(parcel: Parcel, console_url: str) -> AlertRouted:
    """What a parcel says."""
    kind = RoutedKind(parcel.kind)
    alert = Alert.model_validate(parcel.facts) if kind is RoutedKind.ALERT else None
    return AlertRouted(
        delivery_id=parcel.delivery_id,
        kind=kind,
        link=video_link(console_url, alert.video_id) if alert else console_link(console_url),
        alert=alert,
        caption=parcel.caption,
        digest=Digest.model_validate(parcel.facts) if kind is RoutedKind.DIGEST else None,
    )


def console_link(console_url: str) -> str:
    """The console's live monitor."""
    return f"{console_url.rstrip('/')}/"


def video_link(console_url: str, video_id: str) -> str:
    """One video, opened in the console."""
    return str(httpx.URL(console_link(console_url), params={"video": video_id}))
