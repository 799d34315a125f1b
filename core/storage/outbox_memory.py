"""The outbox of one process; see `core.storage.ledger.Ledger`."""

import itertools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from core.events import VideoPosted
from core.storage.items import Delivery, Lease, Outgoing, Waiting


@dataclass(frozen=True)
class _Row:
    event: Outgoing
    created_at: datetime
    sending_at: datetime | None = None
    sender: str | None = None
    sender_until: datetime | None = None
    sent_at: datetime | None = None
    delivery: Delivery | None = None


class MemoryOutbox:
    """Events of posted items, until the topic is known to have them."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._outbox: dict[int, _Row] = {}
        self._next_outbox_id = itertools.count(1)

    def outgoing(self, lease: Lease, *, limit: int) -> list[Outgoing]:
        """Take events nobody tried to send yet and mark them as being sent by this owner; the oldest first."""
        with self._lock:
            rows = [row for row in self._unsent() if row.sending_at is None][:limit]
            return [self._take(replace(row, sending_at=datetime.now(UTC)), lease) for row in rows]

    def stranded(self, lease: Lease, *, limit: int) -> list[Outgoing]:
        """Take events whose sender did not come back."""
        now = datetime.now(UTC)
        with self._lock:
            rows = [row for row in self._unsent() if row.sender_until is not None and row.sender_until < now][:limit]
            return [self._take(row, lease) for row in rows]

    def offsets_before(self, outbox_ids: Sequence[int]) -> dict[int, int]:
        """Per partition the highest offset known to be delivered before the first of these began to be sent."""
        with self._lock:
            rows = list(self._outbox.values())
        began = [row.sending_at for row in rows if row.event.outbox_id in outbox_ids and row.sending_at]
        known = [row for row in rows if began and row.sent_at and row.sent_at < min(began)]
        offsets: dict[int, int] = {}
        for delivery in (row.delivery for row in known if row.delivery):
            offsets[delivery.partition] = max(delivery.offset, offsets.get(delivery.partition, 0))
        return offsets

    def sent(self, deliveries: Sequence[Delivery]) -> None:
        """Note that events are on the topic."""
        by_id = {delivery.outbox_id: delivery for delivery in deliveries}
        with self._lock:
            for row in self._unsent():
                if delivery := by_id.get(row.event.outbox_id):
                    self._outbox[row.event.item_id] = replace(row, sent_at=datetime.now(UTC), delivery=delivery)

    def unsent(self, owner: str, outbox_ids: Sequence[int]) -> None:
        """Note that events this owner holds are not on the topic: they wait again."""
        with self._lock:
            for row in self._unsent():
                if row.sender == owner and row.event.outbox_id in outbox_ids:
                    self._outbox[row.event.item_id] = _Row(row.event, row.created_at)

    def waiting_events(self) -> Waiting:
        """The events of posted items that are not known to be on the topic."""
        with self._lock:
            rows = self._unsent()
        return Waiting(len(rows), min((row.created_at for row in rows), default=None))

    def _put(self, item_id: int, event: VideoPosted) -> None:
        outgoing = Outgoing(next(self._next_outbox_id), item_id, event.video_id.encode(), event.to_bytes())
        self._outbox[item_id] = _Row(outgoing, datetime.now(UTC))

    def _unsent(self) -> list[_Row]:
        return [row for row in self._outbox.values() if row.sent_at is None]

    def _take(self, row: _Row, lease: Lease) -> Outgoing:
        until = datetime.now(UTC) + timedelta(seconds=lease.lease_s)
        self._outbox[row.event.item_id] = replace(row, sender=lease.owner, sender_until=until)
        return row.event
