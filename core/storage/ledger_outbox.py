"""The outbox in PostgreSQL: events of posted items, until the topic is known to have them."""

from collections.abc import Sequence

from core.storage import ledger_sql as sql
from core.storage.database import Database
from core.storage.items import Delivery, Lease, Outgoing, Waiting


class PostgresOutbox:
    """The part of the ledger that a relay works with; see `core.storage.ledger.Ledger`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def outgoing(self, lease: Lease, *, limit: int) -> list[Outgoing]:
        """Take events nobody tried to send yet and mark them as being sent by this owner; the oldest first."""
        return self._take(sql.OUTGOING, lease, limit)

    def stranded(self, lease: Lease, *, limit: int) -> list[Outgoing]:
        """Take events whose sender did not come back."""
        return self._take(sql.STRANDED, lease, limit)

    def offsets_before(self, outbox_ids: Sequence[int]) -> dict[int, int]:
        """Per partition the highest offset known to be delivered before the first of these began to be sent."""
        with self._database.connection() as connection:
            return dict(connection.execute(sql.OFFSETS, {"ids": list(outbox_ids)}).fetchall())

    def sent(self, deliveries: Sequence[Delivery]) -> None:
        """Note that events are on the topic."""
        arguments = {
            "ids": [delivery.outbox_id for delivery in deliveries],
            "partitions": [delivery.partition for delivery in deliveries],
            "offsets": [delivery.offset for delivery in deliveries],
        }
        with self._database.connection() as connection:
            connection.execute(sql.SENT, arguments)

    def unsent(self, owner: str, outbox_ids: Sequence[int]) -> None:
        """Note that events this owner holds are not on the topic: they wait again."""
        with self._database.connection() as connection:
            connection.execute(sql.UNSENT, {"owner": owner, "ids": list(outbox_ids)})

    def waiting_events(self) -> Waiting:
        """The events of posted items that are not known to be on the topic."""
        with self._database.connection() as connection:
            events, since = connection.execute(sql.WAITING).fetchone() or (0, None)
        return Waiting(int(events), since)

    def _take(self, statement: bytes, lease: Lease, limit: int) -> list[Outgoing]:
        arguments = {"owner": lease.owner, "lease_s": lease.lease_s, "limit": limit}
        with self._database.connection() as connection:
            rows = connection.execute(statement, arguments).fetchall()
        return sorted((Outgoing(*row) for row in rows), key=lambda event: event.outbox_id)
