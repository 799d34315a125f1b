"""The gate: a small forward proxy on loopback that lets nothing into private networks, in a thread of its process.

A name is resolved once per connection, its addresses are judged, and the connection goes to exactly those: what DNS
says a moment later does not matter, nor where a redirect leads, because the client has to ask the gate again.
"""

import asyncio
import math
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

from core.errors import ConfigError
from core.settings_ingestion import IngestionSettings
from ingestion.egress.exchange import Exchange, Terms
from ingestion.egress.head import MAX_BYTES
from ingestion.egress.passes import Budget, Pass
from ingestion.egress.route import PORTS, Resolve, Router, resolve_by_system

_MAX_CONNECTIONS = 256
"""Of one pass at a time; a browser keeps up to 32 open."""
_LOOK_S = 1.0
"""How often it is looked at whether the gate is still there."""


class Gate:
    """Gives passes; to be used in a `with` block, from any thread.

    Guarantee: through it nothing is reached but ports 80 and 443 of public addresses, and the addresses of
    `ingestion.allow`. It listens on loopback only, for holders of a pass.
    """

    def __init__(
        self, settings: IngestionSettings, *, resolve: Resolve = resolve_by_system, ports: frozenset[int] = PORTS
    ) -> None:
        self._router = Router(frozenset(settings.allow), settings.connect_timeout_s, resolve=resolve, ports=ports)
        self._terms = Terms(head_s=settings.connect_timeout_s, idle_s=settings.idle_timeout_s)
        self._loop = asyncio.new_event_loop()
        self._doors: set[_Door] = set()
        self._thread = threading.Thread(target=self._run, name="gate", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for door in tuple(self._doors):
            self._in_loop(door.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @contextmanager
    def admit(self, budget: Budget, *, has_token: bool = True) -> Iterator[Pass]:
        """A pass for as long as the block runs; then its connections are cut.

        `has_token=False` is for clients that cannot present one (Chromium): then only processes of this user are let
        in, by what the kernel says of the connection.
        """
        leave = Pass(budget, has_token=has_token)
        self._check_open()
        door = _Door(leave, self._router, self._terms)
        self._in_loop(door.open())
        self._doors.add(door)
        try:
            yield leave
        finally:
            self._doors.discard(door)
            # A gate that was closed meanwhile has closed its doors itself.
            with suppress(ConfigError):
                self._check_open()
                self._in_loop(door.close())

    def _check_open(self) -> None:
        if not self._thread.is_alive():
            raise ConfigError("the gate is not open; use it in a with block")

    def _in_loop(self, work: Coroutine[Any, Any, None]) -> None:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        while self._thread.is_alive():
            with suppress(TimeoutError):
                return future.result(_LOOK_S)
        raise ConfigError("the gate was closed")

    def _run(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(_cancel_all())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await _settle()


async def _settle() -> None:
    """Let the transports that were dropped close their sockets."""
    for _ in range(2):
        await asyncio.sleep(0)


class _Door:
    """A pass's own port, and the connections that came in by it.

    It accepts by itself: asyncio's server loses, unclosed, what it accepts in the moment in which it is closed.
    """

    def __init__(self, leave: Pass, router: Router, terms: Terms) -> None:
        self._leave = leave
        self._router = router
        self._terms = terms
        self._listener = socket.socket()
        self._timer: asyncio.TimerHandle | None = None
        self._at_work: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Let clients in, and start the budget's clock."""
        loop = asyncio.get_running_loop()
        self._listener.setblocking(False)  # noqa: FBT003 - the library's signature
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(_MAX_CONNECTIONS)
        loop.add_reader(self._listener, self._accept)
        self._leave.port = int(self._listener.getsockname()[1])
        self._leave.on_spent = self._cut
        if self._leave.budget.max_s < math.inf:
            self._timer = loop.call_later(self._leave.budget.max_s, self._leave.expire)

    async def close(self) -> None:
        """Let nobody in any more, and wait until the connections are cut."""
        if self._timer is not None:
            self._timer.cancel()
        self._cut()
        await asyncio.gather(*self._at_work, return_exceptions=True)
        await _settle()

    def _cut(self) -> None:
        if self._listener.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
        for task in self._at_work:
            if task is not asyncio.current_task():
                task.cancel()

    def _accept(self) -> None:
        with suppress(OSError):
            client, _ = self._listener.accept()
            if len(self._at_work) >= _MAX_CONNECTIONS:
                client.close()
                return
            task = asyncio.get_running_loop().create_task(self._serve(client))
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)
            # For a task that is cancelled before it began, and then closes nothing by itself.
            task.add_done_callback(lambda _: client.close())

    async def _serve(self, client: socket.socket) -> None:
        streams = await asyncio.open_connection(sock=client, limit=MAX_BYTES)
        await Exchange(self._leave, self._router, self._terms).serve(*streams)
