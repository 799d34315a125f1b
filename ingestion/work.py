"""`python -m ingestion.work`: works the ledger from found to posted, until it is told to stop."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

import structlog

from core.clock import SystemClock
from core.errors import ConfigError, StoreUnavailable
from core.health import Health, HealthServer
from core.heartbeat import HeartbeatThread
from core.media.cage import Cage
from core.settings import Settings
from core.storage.items import Lease
from core.storage.ledger_pg import PostgresLedger
from core.storage.live import RedisLive
from core.storage.media import S3Media
from core.storage.ports import Heartbeat
from core.telemetry import EVENTS_RELAYED, configure_logging, total
from ingestion.bring import Answers, Bringer, Site, sweep
from ingestion.crew import TIDY_S, Crew, Hand, Tidier, owner_name
from ingestion.download import downloader
from ingestion.erase import Eraser
from ingestion.fetch import Fetcher
from ingestion.inspect import Inspector
from ingestion.relay import Relay

DRAIN_S = 20.0
"""How long what is being fetched may still take after a stop; the rest is given back and fetched by the next."""

_log = structlog.get_logger()


class Work:
    """One process's share of the work: its threads, and what they stand on.

    Args:
        fetcher: brings links onto this machine.
    """

    def __init__(self, settings: Settings, fetcher: Fetcher, *, cage: Cage, health: Health | None = None) -> None:
        ingestion = settings.ingestion
        self.health = health or Health()
        self.crew = Crew(self.health)
        # A thread uses one connection at a time; the relay, the tidier and the renewals need theirs as well.
        pool = settings.store.model_copy(update={"pool_max": ingestion.download_workers + 3})
        self._ledger = PostgresLedger(pool)
        self._lease = Lease(owner_name("work"), ingestion.lease_s)
        self._media = S3Media(settings.media)
        self.live = RedisLive(settings.redis, heartbeat_ttl_s=settings.telemetry.heartbeat_ttl_s)
        self.tidier = Tidier(self._ledger, Eraser(self._ledger, self._media, self.live), clock=SystemClock())
        self._relay = Relay(self._ledger, settings.kafka, owner=self._lease.owner)
        self._answers = Answers(self._ledger, ingestion, owner=self._lease.owner, clock=SystemClock())
        self._bringer = Bringer(
            self._ledger,
            self._media,
            fetcher=fetcher,
            inspector=Inspector(cage, settings.decode),
            site=Site(settings.media.bucket, ingestion.work_dir),
            owner=self._lease.owner,
        )
        self._workers = ingestion.download_workers
        self._work_dir = ingestion.work_dir

    def start(self) -> None:
        """Begin to work."""
        sweep(self._work_dir)
        hand = Hand(
            self._ledger,
            self._lease,
            bring=partial(self._answers.run, self._bringer),
            host=socket.gethostname(),
        )
        for number in range(self._workers):
            self.crew.add(f"items-{number}", hand.turn)
        self.crew.add("leases", self._renew, idle_s=self._lease.lease_s / 4)
        self.crew.add("relay", lambda: self._relay.turn() > 0)
        self.crew.add("tidy", self.tidier.turn, idle_s=TIDY_S)

    def drain(self) -> None:
        """Finish what is in hand, give back the rest, send what waits."""
        is_done = self.crew.finish(DRAIN_S)
        try:
            self._ledger.release(self._lease.owner)
            if is_done:
                self._relay.drain()
        except StoreUnavailable as error:
            _log.warning("ingestion.undrained", error=str(error))
        self._ledger.close()
        self.live.close()

    def _renew(self) -> bool:
        self._ledger.renew(self._lease)
        return False


@contextmanager
def working(settings: Settings, fetcher: Fetcher) -> Iterator[Work]:
    """Work the ledger beside whatever the block does."""
    with closing(Cage(settings.decode)) as cage:
        work = Work(settings, fetcher, cage=cage)
        work.start()
        try:
            yield work
        finally:
            work.drain()


def serve(settings: Settings, fetcher: Fetcher) -> int:
    """Work until SIGTERM or SIGINT; the exit code: 0 drained, 1 a thread broke."""
    with working(settings, fetcher) as work:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: work.crew.stop.set())
        with (
            HealthServer(settings.ingestion.http_port, work.health) as server,
            HeartbeatThread(work.live, partial(_heartbeat, work, server.port), settings.telemetry.heartbeat_s),
        ):
            _log.info("ingestion.ready", http_port=server.port)
            work.crew.wait()
    if work.crew.failure is not None:
        _log.critical("ingestion.broke", exc_info=work.crew.failure)
        return 1
    _log.info("ingestion.drained")
    return 0


def _heartbeat(work: Work, port: int) -> Heartbeat:
    waiting = work.health.waiting_for()
    return Heartbeat(
        kind="ingestion",
        instance=f"{socket.gethostname()}:{os.getpid()}",
        state="draining" if work.crew.stop.is_set() else "waiting" if waiting else "ready",
        version=version("clipwarden"),
        at=datetime.now(UTC),
        detail=waiting,
        numbers={"waiting_events": work.tidier.events, "done_total": total(EVENTS_RELAYED)},
        port=port,
    )


def main() -> int:
    """Work the ledger with yt-dlp as its hands; 2 is a wrong configuration."""
    try:
        settings = Settings.load()
        configure_logging(settings.telemetry)
        with downloader(settings) as fetcher:
            return serve(settings, fetcher)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
