"""The outbox → `video.posted.v1`: each event once, also when the relay is killed between delivery and its note of it.

An event is marked as being sent, sent, and noted as sent when the broker confirmed it. One whose relay died in between
is looked for on the topic before anybody sends it again: it carries its item's id in a header.
"""

import time
from collections.abc import Sequence

import structlog

from core.errors import DeliveryFailed
from core.settings import KafkaSettings
from core.storage.items import Delivery, Lease, Outgoing
from core.storage.ledger import Ledger
from core.telemetry import EVENTS_RELAYED
from ingestion.kafka import EventProducer
from ingestion.search import ITEM_ID, TopicSearch

BATCH = 500
DELIVERY_S = 10.0
"""How long the broker may take to confirm; what it did not confirm then may still be on the topic."""

_log = structlog.get_logger()


class Relay:
    """Sends what the outbox holds; any number of them may run, in any number of processes. One thread uses it.

    Args:
        owner: unique to this relay.
    """

    def __init__(self, ledger: Ledger, settings: KafkaSettings, *, owner: str) -> None:
        delivery_s = min(settings.request_timeout_s, DELIVERY_S)
        settings = settings.model_copy(update={"request_timeout_s": delivery_s})
        self._ledger = ledger
        # A client gives a record up after `delivery_s`; until twice that nobody else asks what became of it.
        self._lease = Lease(owner, 2 * delivery_s)
        self._producer = EventProducer(settings)
        self._search = TopicSearch(settings)

    def turn(self) -> int:
        """Settle what dead relays left, then send what waits; returns how many events are newly known to be sent.

        Raises:
            DeliveryFailed: the broker did not confirm all; what it did confirm is noted.
            BrokerUnavailable, StoreUnavailable: try again.
        """
        return self._settle() + self._send()

    def drain(self) -> int:
        """Turn until nothing waits that is this relay's to send."""
        sent = 0
        while found := self.turn():
            sent += found
        return sent

    def _settle(self) -> int:
        stranded = self._ledger.stranded(self._lease, limit=BATCH)
        if not stranded:
            return 0
        ids = {event.item_id: event.outbox_id for event in stranded}
        places = self._search.find(set(ids), after=self._ledger.offsets_before(list(ids.values())))
        found = [Delivery(ids[item_id], *place) for item_id, place in places.items()]
        self._ledger.sent(found)
        missing = [outbox_id for item_id, outbox_id in ids.items() if item_id not in places]
        self._ledger.unsent(self._lease.owner, missing)
        _log.info("relay.settled", on_topic=len(found), to_send=len(missing))
        return len(found)

    def _send(self) -> int:
        began_s = time.monotonic()
        events = self._ledger.outgoing(self._lease, limit=BATCH)
        if time.monotonic() - began_s > self._lease.lease_s / 4:
            # Too late to be sure that nobody else takes them for stranded while they are on their way.
            self._ledger.unsent(self._lease.owner, [event.outbox_id for event in events])
            return 0
        delivered: list[Delivery] = []
        try:
            self._produce(events, delivered)
        finally:
            if delivered:
                self._ledger.sent(delivered)
                EVENTS_RELAYED.inc(len(delivered))
        return len(delivered)

    def _produce(self, events: Sequence[Outgoing], delivered: list[Delivery]) -> None:
        for event in events:

            def note(partition: int, offset: int, outbox_id: int = event.outbox_id) -> None:
                delivered.append(Delivery(outbox_id, partition, offset))

            headers = [(ITEM_ID, str(event.item_id).encode())]
            self._producer.send_bytes(event.key, event.value, headers=headers, on_report=note)
        self._producer.flush()
        if len(delivered) != len(events):
            raise DeliveryFailed(f"{len(events) - len(delivered)} events without a report; they are looked for later")
