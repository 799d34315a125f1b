"""Signs of life: every process tells the live view, from a thread of its own, what it does."""

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self

import structlog

from core.errors import CacheUnavailable
from core.storage.ports import Heartbeat
from core.vitals import TROUBLES, Rates, vitals

_log = structlog.get_logger()


class _Beats(Protocol):
    def beat(self, heartbeat: Heartbeat) -> None: ...


class HeartbeatThread:
    """Beats every `every_s` seconds; a live view that is down is told again at the next beat.

    To what `make` says it adds which process this is, its vitals, how fast its totals grow and its last trouble.

    Args:
        live: the view; this thread must be the only user of it, or it must be safe between threads.
        make: builds the heartbeat from the process's present state.
        every_s: seconds between two beats.
        is_up: whether the view should be there by now; for who starts it, silence at first is no trouble.
    """

    def __init__(self, live: _Beats, make: Callable[[], Heartbeat], every_s: float, *, is_up: bool = True) -> None:
        self._live = live
        self._make = make
        self._every_s = every_s
        self._stop = threading.Event()
        self._heard = is_up
        self._rates = Rates()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> Self:
        """Beat at once and from now on."""
        self._thread.start()
        return self

    def stop(self, timeout_s: float = 2.0) -> None:
        """Beat no more; a view that hangs is not waited for."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while True:
            self._beat()
            if self._stop.wait(self._every_s):
                return

    def _beat(self) -> None:
        try:
            self._live.beat(self._whole(self._make()))
        except CacheUnavailable as error:
            if self._heard:
                _log.warning("heartbeat.unheard", error=str(error))
            self._heard = False
        else:
            if not self._heard:
                _log.info("heartbeat.heard_again")
            self._heard = True

    def _whole(self, said: Heartbeat) -> Heartbeat:
        trouble, rates = TROUBLES.last, self._rates.of(said.numbers, time.monotonic())
        return replace(
            said,
            numbers={**vitals(), **said.numbers, **rates},
            host=socket.gethostname(),
            pid=os.getpid(),
            error=trouble.text,
            error_at=trouble.at,
        )
