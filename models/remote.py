"""The client of the inference workers: safe between threads; waits as long as none answers."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress

from core.clock import Clock, SystemClock
from core.errors import InferenceRefused, InferenceStale, InferenceUnavailable
from core.settings import InferenceSettings
from core.telemetry import INFER_S
from models.arena import Slot
from models.client import InferRequest, InferResult, Shadow
from models.link import Link, LinkState
from models.outbox import Pending
from models.slots import SlotPool
from models.spec import ServedModels


class RemoteClient:
    """Scores posts on the workers reached over `ipc://` or `tcp://`; safe between threads.

    Each request goes to the worker with the least to do among those that serve the models its inputs were prepared for.
    What a worker holds that stops answering goes to another within two seconds.

    Guarantee: every future of `infer` is resolved; a request is sent again until a live worker answered it, or so many
    died with it that it is to blame (`InferenceCrashed`).

    Args:
        settings: the endpoints, how many clips may be in flight, how often a live worker may fail on a request.
        clock: of waits and metrics.
        on_shadow: told what challengers said of sampled posts; must return at once, and not raise.

    Raises:
        ConfigError: an endpoint is wrong, or on a network without keys.
    """

    def __init__(
        self,
        settings: InferenceSettings,
        *,
        clock: Clock | None = None,
        on_shadow: Callable[[Shadow], None] = lambda _: None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._pool = SlotPool(settings.slots)
        self._fresh: deque[Pending] = deque()
        self._link = Link(settings, self._clock, self._fresh, self._pool, on_shadow=on_shadow)
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._closing = threading.Event()
        self._guard = threading.Lock()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()

    def served(self) -> ServedModels:
        """What the worker serves now; waits until a worker answers, then costs nothing until it swaps models.

        Raises:
            InferenceUnavailable: the client was closed.
        """
        return self._pool.served()

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """Borrow a free slot; waits for one. One that is given back with its request unanswered stays taken until then.

        Raises:
            InferenceUnavailable: the client was closed.
        """
        slot = self._pool.borrow()
        try:
            yield slot
        finally:
            self._pool.give_back(slot)

    def infer(self, request: InferRequest) -> "Future[InferResult]":
        """Send one post; see InferenceClient."""
        future: Future[InferResult] = Future()
        # Running futures cannot be cancelled: the worker may still read the slot.
        future.set_running_or_notify_cancel()
        slot = request.slot
        if request.token_ids is None and slot is None:
            future.set_exception(InferenceRefused("neither caption nor clip"))
        elif slot is not None and not isinstance(slot, Slot):
            future.set_exception(InferenceRefused("the slot was not borrowed from this client"))
        elif slot is not None and not self._pool.is_current(slot):
            future.set_exception(InferenceStale("the worker takes other clips now"))
        else:
            self._submit(request, slot, future)
        return future

    def state(self) -> LinkState:
        """Whether a worker answers, and how many of how many, for health and the monitor."""
        return self._link.state

    def close(self) -> None:
        """Let go of sockets and shared memory; what is unanswered raises InferenceUnavailable."""
        with self._guard:
            if self._closing.is_set():
                return
            self._is_over = True
            self._closing.set()
        self._wake()
        self._thread.join()
        self._pool.close()
        os.close(self._wake_fd)

    def _submit(self, request: InferRequest, slot: Slot | None, future: "Future[InferResult]") -> None:
        pending = Pending(request, request.inputs_id or self._pool.inputs_id(), future, slot)
        if slot is not None:
            self._pool.pin(slot)
            future.add_done_callback(lambda _: self._pool.unpin(slot))
        started_s = self._clock.monotonic_s()
        future.add_done_callback(lambda _: INFER_S.observe(self._clock.monotonic_s() - started_s))
        with self._guard:
            if not self._is_over:
                self._fresh.append(pending)
                self._wake()
                return
        future.set_exception(InferenceUnavailable("the client is closed"))

    def _wake(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_write(self._wake_fd, 1)

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._link.turn(self._wake_fd)
        finally:
            with self._guard:
                self._is_over = True
            self._link.close()
