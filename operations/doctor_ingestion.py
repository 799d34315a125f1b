"""What the doctor finds in ingestion: events that wait, items that wait, objects that nothing knows."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice

from core.errors import DependencyError
from core.settings import Settings
from core.storage.items import OPEN_STATES, ItemState
from core.storage.ledger import Ledger
from core.storage.ledger_pg import PostgresLedger
from core.storage.media import S3Media
from ingestion.orphans import orphans
from operations.findings import Finding, judge

EVENT_WAITS = timedelta(minutes=1)
ITEM_WAITS = timedelta(hours=1)
ORPHAN_AGE = timedelta(minutes=15)
"""Who posts without the ledger stores first, and names the object in an event a little later."""
MANY_ORPHANS = 10_000
WORKER = "start a worker: python -m ingestion.work"


def examine_ingestion(settings: Settings) -> Iterator[Finding]:
    """Look at the ledger and at the bucket; changes nothing."""
    now = datetime.now(UTC)
    with closing(PostgresLedger(settings.store)) as ledger:
        try:
            yield from (_events(ledger, now), _items(ledger, now), _returned(ledger))
            yield _objects(ledger, settings, now)
        except DependencyError as error:
            yield Finding("bad", "ingestion", str(error), "see the servers above")


def delete_orphans(settings: Settings) -> int:
    """Delete the objects that nothing knows; returns how many."""
    media, bucket = S3Media(settings.media), settings.media.bucket
    with closing(PostgresLedger(settings.store)) as ledger:
        found = list(orphans(ledger, media, bucket, before=datetime.now(UTC) - ORPHAN_AGE))
    for orphan in found:
        media.remove(bucket, orphan.key)
    return len(found)


def _events(ledger: Ledger, now: datetime) -> Finding:
    waiting = ledger.waiting_events()
    since = now - waiting.since if waiting.since else timedelta()
    why = f"{waiting.events} events wait for the topic" + (f", the oldest for {_in_words(since)}" if since else "")
    return judge("outbox", why, warn=since > EVENT_WAITS, advice=f"is the broker there? If so, {WORKER}")


def _items(ledger: Ledger, now: datetime) -> Finding:
    counts, oldest, paused = ledger.counts(), ledger.oldest_waiting(), ledger.paused()
    waiting = sum(row.items for row in counts if row.state in OPEN_STATES)
    failed = sum(row.items for row in counts if row.state is ItemState.FAILED)
    since = now - oldest if oldest else timedelta()
    why = f"{waiting} wait" + (f", the oldest for {_in_words(since)}" if since else "") + f", {failed} failed"
    why += f", paused: {', '.join(sorted(paused))}" if paused else ""
    return judge("items", why, warn=since > ITEM_WAITS, advice=f"{WORKER}; resume what is paused")


def _returned(ledger: Ledger) -> Finding:
    back = ledger.came_back()
    why = f"{len(back)} came back" if back else "none came back"
    advice = f"the worker erases them again: {WORKER}, or: clipwarden forget {back[0]}" if back else ""
    return judge("forgotten videos", why, bad=bool(back), advice=advice)


def _objects(ledger: Ledger, settings: Settings, now: datetime) -> Finding:
    unknown = orphans(ledger, S3Media(settings.media), settings.media.bucket, before=now - ORPHAN_AGE)
    found = list(islice(unknown, MANY_ORPHANS))
    size = sum(orphan.size_bytes for orphan in found) / 1e6
    why = f"{len(found)} that nothing refers to" + (f" ({size:.1f} MB), e.g. {found[0].key}" if found else "")
    return judge("objects", why, warn=bool(found), advice="delete them with: clipwarden doctor --delete-orphans")


def _in_words(span: timedelta) -> str:
    return str(timedelta(seconds=int(span.total_seconds())))
