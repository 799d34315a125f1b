"""Items brought in while their sender waits: files and texts of one command, through the ledger like everything else.

A feed that dies leaves its items in the ledger: the same command, or any worker of this host, goes on with them.
"""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.clock import SystemClock
from core.errors import ConfigError, StoreUnavailable
from core.media.cage import Cage
from core.settings import Settings
from core.storage.items import Item, ItemState, Lease, NewItem
from core.storage.ledger import Ledger
from core.storage.ledger_pg import PostgresLedger
from core.storage.media import S3Media
from ingestion.bring import Answers, Bringer, Site
from ingestion.crew import owner_name
from ingestion.fetch import Fetched
from ingestion.inspect import Inspector
from ingestion.relay import Relay

THREADS = 4
"""More than there are decoders: while one file is looked at, others are on their way to the store."""

ENDED_BADLY = (ItemState.REFUSED, ItemState.FAILED)


@dataclass(frozen=True)
class Taken:
    """An item as it is now, and whether it was this feed that worked on it."""

    item: Item
    is_ours: bool


class Feed:
    """Takes items in, several at a time, and sends their events.

    Args:
        bring: brings one item to its end, or notes why not.
        lease: what the items are held by meanwhile.
        threads: how many items are under way at once.
    """

    def __init__(
        self, ledger: Ledger, relay: Relay, *, bring: Callable[[Item], None], lease: Lease, threads: int
    ) -> None:
        self._ledger = ledger
        self._relay = relay
        self._bring = bring
        self._lease = lease
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="feed")
        self._renewed_s = time.monotonic()

    def take(self, items: Sequence[NewItem], *, again: bool = False) -> list[Taken]:
        """Note items and bring in what nobody else has in hand.

        Args:
            items: files and texts; links are noted, and left to those who fetch.
            again: what was refused or failed before is tried again.

        Returns:
            One for each given, in order, as they are now; their events are sent by `send`.

        Raises:
            DependencyError: some were given back, the others are done; take the same again.
        """
        known = self._ledger.found(items, lease=self._lease)
        if again and self._reopen(known):
            known = self._ledger.found(items, lease=self._lease)
        mine = {item.item_id: item for item in known if item.lease_owner == self._lease.owner}
        self._ledger.release(self._lease.owner, [number for number, item in mine.items() if item.link is not None])
        self._all(item for item in mine.values() if item.link is None)
        return [
            Taken(self._ledger.item(item.item_id) or item, is_ours=True)
            if item.item_id in mine
            else Taken(item, is_ours=False)
            for item in known
        ]

    def send(self) -> None:
        """Put the events of what was taken in onto the topic.

        Raises:
            DependencyError: they stay in the ledger, and leave with the next `send` of anybody.
        """
        self._relay.drain()

    def close(self) -> None:
        """Give back what is still held."""
        self._pool.shutdown(cancel_futures=True)
        # Without a database its leases run out by themselves.
        with suppress(StoreUnavailable):
            self._ledger.release(self._lease.owner)
        self._ledger.close()

    def _reopen(self, items: Sequence[Item]) -> int:
        return sum(self._ledger.retry(item_id=item.item_id) for item in items if item.state in ENDED_BADLY)

    def _all(self, items: Iterator[Item]) -> None:
        futures: list[Future[None]] = [self._pool.submit(self._one, item) for item in items]
        wait(futures)
        for future in futures:
            future.result()

    def _one(self, item: Item) -> None:
        # A batch may take longer than a lease lasts.
        if time.monotonic() - self._renewed_s > self._lease.lease_s / 4:
            self._renewed_s = time.monotonic()
            self._ledger.renew(self._lease)
        self._bring(item)


class NoFetcher:
    """For those who bring in no links."""

    def fetch(self, link: str, into: Path) -> Fetched:
        """Refuse: a feed gives links back before it comes to this."""
        raise ConfigError(f"{link} is not fetched into {into} here; `clipwarden download` does")


@contextmanager
def feeding(settings: Settings, *, threads: int = THREADS) -> Iterator[Feed]:
    """A feed on the platform that the settings name."""
    lease = Lease(owner_name("feed"), settings.ingestion.lease_s)
    ledger = PostgresLedger(settings.store.model_copy(update={"pool_max": threads + 1}))
    with closing(Cage(settings.decode)) as cage:
        bringer = Bringer(
            ledger,
            S3Media(settings.media),
            fetcher=NoFetcher(),
            inspector=Inspector(cage, settings.decode),
            site=Site(settings.media.bucket, settings.ingestion.work_dir),
            owner=lease.owner,
        )
        answers = Answers(ledger, settings.ingestion, owner=lease.owner, clock=SystemClock())
        relay = Relay(ledger, settings.kafka, owner=lease.owner)
        with closing(Feed(ledger, relay, bring=partial(answers.run, bringer), lease=lease, threads=threads)) as feed:
            yield feed


def this_host() -> str:
    """The name under which the ledger keeps paths of this machine."""
    return socket.gethostname()
