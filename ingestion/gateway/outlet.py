"""The gateway's own relay: what it posted leaves for the topic at once, and what an outage kept back after it."""

import threading
from types import TracebackType
from typing import Self

import structlog

from core.errors import DependencyError
from core.health import Health
from ingestion.relay import Relay

IDLE_S = 2.0
RETRY_S = 1.0

_log = structlog.get_logger()


class Outlet:
    """Runs a relay on a thread; `wake` tells it that there is something to send.

    Args:
        health: learns, as `relay`, whether events leave.
    """

    def __init__(self, relay: Relay, health: Health) -> None:
        self._relay = relay
        self._health = health
        self._awake = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="outlet", daemon=True)

    def wake(self) -> None:
        """Send soon."""
        self._awake.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        # Before it ends it turns once more, for what was taken last.
        self._is_over = True
        self._awake.set()
        self._thread.join(2 * RETRY_S)

    def _run(self) -> None:
        while True:
            self._awake.clear()
            is_sent = self._turn()
            if self._is_over:
                return
            self._awake.wait(IDLE_S if is_sent else RETRY_S)

    def _turn(self) -> bool:
        try:
            self._relay.drain()
        except DependencyError as error:
            self._health.set("relay", ok=False, detail=str(error))
            _log.warning("outlet.waits", error=str(error))
            return False
        self._health.set("relay", ok=True)
        return True
