"""One scoring process: its parts, built once from settings, and how they start and stop together."""

import fcntl
import gc
import logging
import signal
import threading
from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from typing import Self

import stamina
import structlog

from core import topics
from core.clock import Clock, SystemClock
from core.errors import ConfigError, InferenceUnavailable
from core.health import Health, HealthServer
from core.heartbeat import HeartbeatThread
from core.media.cage import Cage
from core.settings import Settings
from core.storage.history import TimescaleHistory
from core.storage.live import RedisLive
from core.storage.media import S3Media
from core.storage.ports import Heartbeat
from core.telemetry import IN_FLIGHT_VIDEOS
from dataflows.apply import PolicyApplier
from dataflows.broker import ask_broker
from dataflows.decode import Decoder
from dataflows.infer import Scored, Scorer
from dataflows.kafka import ShareSource, SourceParts
from dataflows.parse import Parser, Posted, Rejected
from dataflows.policy import PolicyFile
from dataflows.project import Projector
from dataflows.publish import TopicPublisher
from dataflows.shadow import ShadowLog
from dataflows.sinks import WriterSink
from dataflows.track import InFlight
from dataflows.wait import Patience, StoppingError, Watch
from dataflows.write import Stores, WriteQueue, Writer
from models.remote import RemoteClient

log = structlog.get_logger()

GC_YOUNG = 20_000
"""New objects between two collections, about a thousand records' worth."""
GC_MIDDLE = 20


class ScoringProcess:
    """Everything one process of the flow needs; `score` and the stores may be replaced (benches do)."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.stop = threading.Event()
        self.health = Health()
        self.in_flight = InFlight(settings.flow.window, limit_bytes=settings.flow.window_bytes)
        self.patience = Patience(self.health, self.stop)
        self.history = TimescaleHistory(settings.store)
        self.live = RedisLive(settings.redis, heartbeat_ttl_s=settings.telemetry.heartbeat_ttl_s)
        self.media = S3Media(settings.media)
        self._lock = _take_share(settings)
        self._policy = PolicyFile(settings.flow.policy_file)
        self.shadow = ShadowLog(self.history, policy=lambda: self.applier.policy)
        self.client = RemoteClient(settings.inference, on_shadow=self.shadow.put)
        self.cage = Cage(settings.decode)
        self.scorer = self._build_scorer()
        self.server = HealthServer(settings.flow.http_port, self.health)
        self.heartbeat = HeartbeatThread(self.live, self._heartbeat, settings.telemetry.heartbeat_s)
        self.projector = Projector(
            self.history,
            self.live,
            live_size=settings.redis.live_size,
            clock=self.clock,
            before_aggregates=lambda: self.history.note_policy(self.applier.policy.note),
        )

    def start(self) -> Self:
        """Answer on `/readyz` at once, then wait, however long, for the broker and for a worker.

        The worker says what it emits, which is what the policy must know. The stores are waited for by whoever uses
        them; `/readyz` names those that are away from the first second on.

        Raises:
            ConfigError: the policy does not fit the served models.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        _log_waits_once()
        IN_FLIGHT_VIDEOS.set_function(lambda: self.in_flight.count)
        self.server.start()
        self.heartbeat.start()
        questions = {"database": self.history.ping, "redis": self.live.ping, "objects": self.media.ping}
        Watch(self.patience, questions, self.stop).start()
        self._await_broker()
        self.applier = PolicyApplier(self._policy, self._emitted(), clock=self.clock)
        self.projector.start()
        self.shadow.start()
        _collect_seldom()
        return self

    def source(self) -> ShareSource:
        """The share of `video.posted.v1` this process reads."""
        parts = SourceParts(self.in_flight, self.health, self.patience, self.stop)
        self._source = ShareSource(topics.VIDEO_POSTED, self.settings.kafka, self.settings.flow, parts=parts)
        return self._source

    def parser(self) -> Parser:
        """Records → events."""
        return Parser(
            allowed_buckets=self.settings.media.allowed_buckets,
            max_ahead=timedelta(hours=self.settings.flow.max_ahead_h),
            retention=timedelta(days=self.settings.store.retention_days),
            clock=self.clock,
        )

    def sink(self) -> WriterSink:
        """The one ordered writer."""
        stores = Stores(self.history, TopicPublisher(self.settings.kafka), self.live, self.media)
        writer = Writer(
            stores, settings=self.settings.media, patience=self.patience, in_flight=self.in_flight, clock=self.clock
        )
        return WriterSink(WriteQueue(writer, self.stop), on_close=self.close)

    def score(self, item: Posted | Rejected) -> "Scored | Rejected | Future[Scored]":
        """Events → scores, in flight."""
        return self.scorer.submit(item)

    def close(self) -> None:
        """Commit what is written and let everything go; runs after the last write."""
        self.stop.set()
        self._source.finish()
        self.projector.stop()
        self.heartbeat.stop()
        self.client.close()
        self.shadow.close()
        self.scorer.close()
        self.cage.close()
        self.server.close()
        log.info("flow.stopped", unwritten=self.in_flight.count)

    def _build_scorer(self) -> Scorer:
        decode = self.settings.decode
        decoder = Decoder(self.media, self.cage, settings=decode, patience=self.patience)
        # Twice the children: while one decodes, the next one's object is fetched.
        return Scorer(
            self.client,
            decoder,
            threads=decode.children * 2,
            clock=self.clock,
            shadow_share=self.settings.serving.shadow_share,
            cheap_after_s=decode.cheap_after_s,
        )

    def _await_broker(self) -> None:
        try:
            self.patience.until_done("broker", partial(ask_broker, self.settings.kafka))
        except StoppingError:
            # As below. Within Bytewax the same request would end in a traceback.
            raise SystemExit(0) from None

    def _emitted(self) -> dict[str, tuple[str, ...]]:
        log.info("flow.awaits_worker", endpoints=self.settings.inference.endpoints)
        try:
            return self.client.served().labels
        except InferenceUnavailable:
            # Asked to stop before any worker answered: nothing was read, nothing is lost.
            raise SystemExit(0) from None

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.stop.set()
        if not hasattr(self, "applier"):
            self.client.close()

    def _heartbeat(self) -> Heartbeat:
        now = self.clock.now()
        self.patience.note_silence()
        worker = self.client.state()
        self.health.set("worker", ok=worker.is_connected, detail=worker.detail)
        waiting = self.health.waiting_for()
        state = "draining" if self.stop.is_set() else "waiting" if waiting else "ready"
        return Heartbeat(
            kind="flow",
            instance=self.settings.flow.share,
            state=state,
            version=self.applier.policy_version if hasattr(self, "applier") else "-",
            at=now,
            detail=waiting,
            numbers={
                "oldest_waiting_s": self.in_flight.oldest_waiting_s(now),
                "in_flight_videos": self.in_flight.count,
                "done_total": self.in_flight.written,
            },
            port=self.server.port,
            partitions=self.in_flight.positions(),
            facts=self.applier.policy.facts if hasattr(self, "applier") else {},
        )


def _log_waits_once() -> None:
    """Patience tells when a dependency goes and when it is back; what tells each attempt would fill the log."""
    stamina.instrumentation.set_on_retry_hooks(())
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


def _collect_seldom() -> None:
    """Let the garbage collector look at what a window of records makes at a time, and never again at the modules.

    Nearly all objects of a record go by their reference counts. With the defaults the collector ran every few dozen
    records, and again and again over whatever was in flight: a fifth of this process's CPU (measured).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_YOUNG, GC_MIDDLE)


def _take_share(settings: Settings) -> "object":
    """Two processes on one share would score everything twice: the second is refused."""
    path = settings.flow.state_dir / f"share-{settings.flow.share_index}-of-{settings.flow.share_count}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise ConfigError(
            f"share {settings.flow.share} already runs here ({path} is locked); "
            "stop that process, or give this one another CLIPWARDEN_FLOW__SHARE"
        ) from error
    return lock
