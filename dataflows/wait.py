"""Waiting is not failing: a dependency that is down is asked again until it answers; only a stop ends the wait."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import stamina
import structlog

from core.errors import DependencyError, InputError
from core.health import Health
from core.telemetry import DEPENDENCY_UP

log = structlog.get_logger()

T = TypeVar("T")

SILENT_AFTER_S = 5.0
"""Longer than any of our questions takes; a server that hangs is as bad as one that refuses."""
ASK_EVERY_S = 2.0
NOT_ASKED = "not asked yet"


class StoppingError(Exception):
    """The process was asked to stop while it waited; what it holds is unwritten and will be read again."""


class Patience:
    """Asks a dependency until it answers, without limit, and says on `/readyz` what it waits for."""

    def __init__(self, health: Health, stop: threading.Event, *, wait_max_s: float = 2.0) -> None:
        self._health = health
        self._stop = stop
        self._wait_max_s = wait_max_s
        self._asking: dict[int, tuple[str, float]] = {}
        self._refused: dict[int, str] = {}
        self._away_since_s: dict[str, float] = {}

    def expect(self, dependency: str) -> None:
        """Not ready before this dependency has answered once."""
        self._health.set(dependency, ok=False, detail=NOT_ASKED)

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
            self._note_refusal(dependency, error)
            if self._stop.is_set():
                raise StoppingError(dependency) from error
            raise
        except InputError:
            # What was asked for is at fault, not who was asked.
            self._note_answer(dependency)
            raise
        self._note_answer(dependency)
        return answer

    def _note_refusal(self, dependency: str, error: DependencyError) -> None:
        self._refused[threading.get_ident()] = dependency
        self._health.set(dependency, ok=False, detail=str(error))
        DEPENDENCY_UP.labels(dependency).set(0)
        if dependency not in self._away_since_s:
            self._away_since_s[dependency] = time.monotonic()
            log.warning("dependency.away", dependency=dependency, reason=str(error))

    def _note_answer(self, dependency: str) -> None:
        """It is back once it answers everybody: one that answers a greeting may still refuse the work."""
        self._refused.pop(threading.get_ident(), None)
        if dependency in list(self._refused.values()):
            return
        self._health.set(dependency, ok=True)
        DEPENDENCY_UP.labels(dependency).set(1)
        since_s = self._away_since_s.pop(dependency, None)
        if since_s is not None:
            log.info("dependency.back", dependency=dependency, away_s=round(time.monotonic() - since_s, 1))

    def _ask(self, dependency: str, attempt: Callable[[], T]) -> T:
        thread = threading.get_ident()
        self._asking[thread] = (dependency, time.monotonic())
        try:
            return attempt()
        finally:
            del self._asking[thread]

    def _should_wait(self, error: Exception) -> bool:
        return isinstance(error, DependencyError)


class Watch:
    """Asks dependencies every few seconds, so that `/readyz` speaks of each before the first video and between two.

    A thread for each: one that hangs does not keep the others from being asked.
    """

    def __init__(
        self,
        patience: Patience,
        questions: Mapping[str, Callable[[], None]],
        stop: threading.Event,
        *,
        every_s: float = ASK_EVERY_S,
    ) -> None:
        self._patience = patience
        self._questions = questions
        self._stop = stop
        self._every_s = every_s

    def start(self) -> None:
        """Ask at once and from now on, until the process stops."""
        for dependency, question in self._questions.items():
            self._patience.expect(dependency)
            threading.Thread(
                target=self._run, args=(dependency, question), name=f"watch-{dependency}", daemon=True
            ).start()

    def _run(self, dependency: str, question: Callable[[], None]) -> None:
        try:
            while not self._stop.is_set():
                self._patience.until_done(dependency, question)
                self._stop.wait(self._every_s)
        except StoppingError:
            return
