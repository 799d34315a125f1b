"""Objects that nothing knows: no item, no verdict, no dead letter; what the doctor looks for."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from core.storage.ledger import Ledger
from core.storage.ports import MediaStore, StoredObject

BATCH = 500


def orphans(
    ledger: Ledger, media: MediaStore, bucket: str, *, before: datetime | None = None
) -> Iterator[StoredObject]:
    """The objects of a bucket that nothing refers to.

    An upload under way is none: its object is announced in the ledger before it is put.

    Args:
        ledger: what knows of objects.
        media: where they lie.
        bucket: which is looked through.
        before: only those that have not changed since; who posts without the ledger names its objects a little later.

    Raises:
        StoreUnavailable, ObjectsUnavailable: they could not be compared.
    """
    objects = iter(media.listed(bucket))
    while batch := list(islice(objects, BATCH)):
        known = ledger.known_objects([f"s3://{bucket}/{found.key}" for found in batch])
        for found in batch:
            if f"s3://{bucket}/{found.key}" not in known and (before is None or found.changed_at < before):
                yield found
