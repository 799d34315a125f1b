"""The gateway's parts, put together from its settings."""

import os
import secrets
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.applications import Starlette

from core.clock import SystemClock
from core.health import Health
from core.media.cage import Cage
from core.settings import Settings
from core.storage.api_keys import ApiKeys
from core.storage.history import TimescaleHistory
from core.storage.ledger_pg import PostgresLedger
from core.storage.media import S3Media
from core.storage.parts import S3Parts
from ingestion.containers import check_container
from ingestion.gateway.app import build_app
from ingestion.gateway.body import BodyLimits
from ingestion.gateway.door import Door
from ingestion.gateway.limits import Limits
from ingestion.gateway.outlet import Outlet
from ingestion.gateway.posting import Desk, Posting
from ingestion.gateway.reading import Following, Lookup, Reading
from ingestion.gateway.reception import Reception
from ingestion.gateway.spool import Spool, Sweeper
from ingestion.gateway.upload import Shelf
from ingestion.relay import Relay

READERS = 8
"""Threads beyond those of uploads: each blocks on the database, seldom for long."""

GRACE_S = 3_600.0


class Gateway:
    """What serves requests; as a context, it sweeps, and lets go of everything at the end.

    Raises:
        ConfigError: its folder is another process's, or a setting cannot be used.
    """

    def __init__(self, settings: Settings, health: Health) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self.spool = Spool(settings.gateway.work_dir)
        self._stack.callback(self.spool.close)
        self.limits = Limits(settings.gateway, SystemClock())
        self._media = S3Media(settings.media)
        self._parts = S3Parts(settings.media)
        self._ledger = PostgresLedger(settings.store)
        self._history = TimescaleHistory(settings.store)
        self._keys = ApiKeys(settings.store)
        for store in (self._ledger, self._history, self._keys):
            self._stack.callback(store.close)
        self._cage = Cage(settings.decode)
        self._stack.callback(self._cage.close)
        tool = f"clipwarden-gateway/{version('clipwarden')} on {socket.gethostname()}"
        self._reception = Reception(self._ledger, owner=self.spool.owner, clock=SystemClock(), tool=tool)
        owner = f"relay:{self.spool.owner}:{os.getpid()}:{secrets.token_hex(4)}"
        self._outlet = Outlet(Relay(self._ledger, settings.kafka, owner=owner), health)
        self._pool = ThreadPoolExecutor(2 * settings.gateway.max_uploads + READERS, thread_name_prefix="gateway")
        self.sweeper = Sweeper(self._parts, self.spool, max_age_s=settings.gateway.upload_s + GRACE_S)

    @property
    def dependencies(self) -> Mapping[str, Callable[[], None]]:
        """What raises DependencyError while a part of the platform is away."""
        return {"store": self._ledger.ping, "objects": self._media.ping}

    def app(self, is_draining: Callable[[], bool]) -> Starlette:
        """The ASGI application."""
        door = Door(self._keys, self.limits, self._pool)
        lookup = Lookup(self._ledger, self._history)
        following = Following(self._settings.gateway.stream_s, is_draining)
        reading = Reading(door, self.limits, lookup, pool=self._pool, following=following)
        return build_app(Posting(self._desk(door)), reading)

    def _desk(self, door: Door) -> Desk:
        bucket, max_bytes = self._settings.media.bucket, self._settings.decode.max_bytes
        return Desk(
            door=door,
            limits=self.limits,
            reception=self._reception,
            on_taken=self._outlet.wake,
            judge=self._judge,
            shelf=Shelf(self._media, self._parts, bucket, self.spool.files, self.spool.prefix),
            pool=self._pool,
            body=BodyLimits.of(self._settings.gateway, max_bytes),
            max_bytes=max_bytes,
        )

    def _judge(self, path: Path, size_bytes: int) -> str:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            check_container(descriptor, size_bytes)
        finally:
            os.close(descriptor)
        return self._cage.probe(path).content_type

    def __enter__(self) -> Self:
        self._stack.enter_context(self._outlet)
        self._stack.enter_context(self.sweeper)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        # First: what is under way still needs the rest.
        self._pool.shutdown()
        self._stack.close()
