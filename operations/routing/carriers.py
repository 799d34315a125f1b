"""Each delivery by its route's channel."""

from core.clock import Clock
from core.routing import Channel
from core.settings_routing import RoutingSettings
from core.storage.deliveries import Parcel
from ingestion.egress.gate import Gate
from operations.routing.carrier import Answer, Carrier
from operations.routing.mail import Mail
from operations.routing.webhook import Webhook


class Carriers:
    """A carrier over all channels."""

    def __init__(self, settings: RoutingSettings, opened: Gate, clock: Clock) -> None:
        web = Webhook(settings, opened, clock)
        self._by_channel: dict[Channel, Carrier] = {
            Channel.WEBHOOK: web,
            Channel.CHAT: web,
            Channel.EMAIL: Mail(settings, clock),
        }

    def send(self, parcel: Parcel) -> Answer:
        """Make one attempt; what goes wrong is an answer too."""
        return self._by_channel[parcel.terms.channel].send(parcel)
