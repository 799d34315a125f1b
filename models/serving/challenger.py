"""The worker's end of one challenger: a child process, a short queue before it, and a thread between them."""

import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from core.errors import ModelRefused
from core.labels import Modality
from core.telemetry import SHADOW_SCORES
from models import wire
from models.serving.lineup import Lineup
from models.serving.shadow import receive, send
from models.serving.trial import ENVIRONMENT, how_it_ended
from models.spec import ClipSpec

LIMIT_S = 300.0
"""For loading, and for one post: the child gets what the others leave of the CPU, which may be little."""
MAX_WAITING = 8
"""A clip is 2.4 MB; what comes while so many wait is dropped."""
_MAX_ANSWER_BYTES = 1 << 20
_POLL_S = 0.2
_STOP_S = 5.0

_log = structlog.get_logger()

Told = Callable[[bytes, wire.Shadowed], None]


@dataclass(frozen=True)
class Ask:
    """A sampled post on its way to a challenger, with what the champion said of it."""

    client: bytes
    sample: wire.SampleRef
    model_version: str
    champion_scores: dict[str, float]
    clip: bytes | memoryview | None = None


class Challenger:
    """One challenger that loaded and computed what it did when saved; `close` ends it.

    Guarantee: `offer` returns at once, whatever the child does; a child that ends or stays silent is told of once.

    Args:
        lineup: holds the version, and for fusion what it was trained over.
        modality: which of them is the challenger.
        clip: what the champion reads, and so must it.
        told: is handed each score, from a thread of its own.
        broken: is told why the child ended.

    Raises:
        ModelRefused: it did not load, not in time, or reads other clips.
    """

    def __init__(
        self,
        lineup: Lineup,
        modality: Modality,
        *,
        clip: ClipSpec,
        told: Told,
        broken: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        self.lineup = lineup
        self.modality = modality
        self.version = f"{modality}:{lineup.parts[modality].number}"
        self._told = told
        self._broken = broken
        self._asks: queue.Queue[Ask] = queue.Queue(MAX_WAITING)
        self._is_over = threading.Event()
        self._line, theirs = socket.socketpair()
        with lineup.folder() as folder:
            try:
                self._child = _start(folder, modality, theirs)
            finally:
                theirs.close()
            try:
                self._clip = self._loaded(stop, clip)
            except ModelRefused:
                self._end()
                raise
        self._thread = threading.Thread(target=self._run, name=f"shadow-{modality}", daemon=True)
        self._thread.start()

    def takes(self, clip: ClipSpec) -> bool:
        """Whether it reads clips like this one; only text reads none."""
        return self.modality is Modality.TEXT or self._clip == repr(clip)

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._child.pid

    @property
    def room(self) -> int:
        """How many more posts may wait."""
        return MAX_WAITING - self._asks.qsize()

    def offer(self, ask: Ask) -> None:
        """Have a post scored when there is time for it; dropped and counted when too many wait."""
        try:
            self._asks.put_nowait(ask)
        except queue.Full:
            SHADOW_SCORES.labels("dropped").inc()

    def close(self) -> None:
        """End the child; what waits is forgotten."""
        self._is_over.set()
        self._end()
        self._thread.join(_STOP_S)

    def _loaded(self, stop: threading.Event, clip: ClipSpec) -> str:
        """Wait for what the child says of itself."""
        end_s = time.monotonic() + LIMIT_S
        while time.monotonic() < end_s and not stop.is_set():
            self._line.settimeout(_POLL_S)
            try:
                self._line.recv(1, socket.MSG_PEEK)
                self._line.settimeout(LIMIT_S)
                said = receive(self._line, max_bytes=_MAX_ANSWER_BYTES)
            except TimeoutError:
                continue
            except (OSError, EOFError):
                break
            if "refused" in said:
                raise ModelRefused(f"{self.version}: {said['refused']}")
            if self.modality is not Modality.TEXT and said["clip"] != repr(clip):
                raise ModelRefused(f"{self.version}: it reads other clips than the champion")
            return str(said["clip"])
        raise ModelRefused(f"{self.version}: loading it {how_it_ended(self._code(), LIMIT_S)}")

    def _run(self) -> None:
        while not self._is_over.is_set():
            try:
                ask = self._asks.get(timeout=_POLL_S)
            except queue.Empty:
                if self._child.poll() is None:
                    continue
                self._note_end()
                return
            try:
                self._score(ask)
            except (OSError, EOFError):
                self._note_end()
                return

    def _score(self, ask: Ask) -> None:
        send(self._line, {"caption": ask.sample.caption, "clip": ask.clip})
        scores = receive(self._line, max_bytes=_MAX_ANSWER_BYTES).get("scores")
        try:
            shadowed = wire.Shadowed(
                video_id=ask.sample.video_id,
                event_time=datetime.fromisoformat(ask.sample.event_time),
                modality=self.modality,
                model_version=ask.model_version,
                challenger=self.version,
                champion_scores=ask.champion_scores,
                challenger_scores=scores,
            )
        except ValueError as error:
            SHADOW_SCORES.labels("failed").inc()
            _log.warning("challenger.failed", challenger=self.version, error=str(error)[:300])
        else:
            SHADOW_SCORES.labels("scored").inc()
            self._told(ask.client, shadowed)

    def _note_end(self) -> None:
        if self._is_over.is_set():
            return
        SHADOW_SCORES.labels("failed").inc()
        reason = f"scoring with it {how_it_ended(self._code(), LIMIT_S)}"
        self._is_over.set()
        self._end()
        self._broken(reason)

    def _code(self) -> int | None:
        """How the child ended; None when it has not, and is silent."""
        try:
            return self._child.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            return None

    def _end(self) -> None:
        self._child.kill()
        self._child.wait()
        self._line.close()


def _start(folder: Path, modality: Modality, line: socket.socket) -> "subprocess.Popen[bytes]":
    arguments = (str(os.getpid()), str(line.fileno()), str(folder), modality.value)
    return subprocess.Popen(  # noqa: S603 - our own module
        (sys.executable, "-m", "models.serving.shadow", *arguments),
        cwd=Path(__file__).parents[2],
        env=ENVIRONMENT,
        pass_fds=(line.fileno(),),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
