"""Waiting is not failing: a dependency that is down is asked again until it answers; only a stop ends the wait."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import stamina

from core.errors import DependencyError
from core.health import Health
from core.telemetry import DEPENDENCY_UP

T = TypeVar("T")

SILENT_AFTER_S = 5.0
"""Longer than any of our questions takes; a server that hangs is as bad as one that refuses."""


class StoppingError(Exception):
    """The process was asked to stop while it waited; what it holds is unwritten and will be read again."""


class Patience:
    """Asks a dependency until it answers, without limit, and says on `/readyz` what it waits for."""

    def __init__(self, health: Health, stop: threading.Event, *, wait_max_s: float = 2.0) -> None:
        self._health = health
        self._stop = stop
        self._wait_max_s = wait_max_s
        self._asking: dict[int, tuple[str, float]] = {}

    def until_done(self, dependency: str, attempt: Callable[[], T]) -> T:
        """The attempt's answer, however long its dependency is away.

        Raises:
            StoppingError: the process was asked to stop.
        """
        for turn in stamina.retry_context(
            on=self._should_wait,
            attempts=None,
            timeout=None,
            wait_initial=0.1,
            wait_max=self._wait_max_s,
            wait_jitter=0.1,
        ):
            with turn:
                return self._try(dependency, attempt)
        raise AssertionError("unreachable: the retry has no limit")

    def note_silence(self) -> None:
        """Say which dependencies took a question and have not answered for long; called now and then."""
        for dependency, asked_s in list(self._asking.values()):
            silent_s = time.monotonic() - asked_s
            if silent_s > SILENT_AFTER_S:
                self._health.set(dependency, ok=False, detail=f"no answer for {silent_s:.0f} s")

    def _try(self, dependency: str, attempt: Callable[[], T]) -> T:
        try:
            answer = self._ask(dependency, attempt)
        except DependencyError as error:
            self._health.set(dependency, ok=False, detail=str(error))
            DEPENDENCY_UP.labels(dependency).set(0)
            if self._stop.is_set():
                raise StoppingError(dependency) from error
            raise
        self._health.set(dependency, ok=True)
        DEPENDENCY_UP.labels(dependency).set(1)
        return answer

    def _ask(self, dependency: str, attempt: Callable[[], T]) -> T:
        thread = threading.get_ident()
        self._asking[thread] = (dependency, time.monotonic())
        try:
            return attempt()
        finally:
            del self._asking[thread]

    def _should_wait(self, error: Exception) -> bool:
        return isinstance(error, DependencyError)
