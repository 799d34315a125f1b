"""The stores in memory: the same promises without a server, for tests and for scoring in one process."""

import hashlib
import itertools
import queue
import threading
import uuid
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from core.errors import MediaEmpty, MediaMissing, MediaTooLarge
from core.events import DeadLetter, RecordRef, Verdict
from core.labels import VerdictKind
from core.storage.beats_memory import MemoryBeats
from core.storage.history_rows import content_id, facts, failures, newest, recency
from core.storage.live_rules import SAMPLES, Sample, Seen, for_view, in_order, is_flagged, kept, recent_seconds, samples
from core.storage.ports import DeadLetterRow, LiveSnapshot, StoredObject, Written
from core.storage.shadow import Disagreement, ShadowScore, add_up

LetterKey = tuple[RecordRef, str]


class MemoryHistory:
    """The history of one process; forgotten at its end."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._videos: dict[str, Verdict] = {}
        self._facts: dict[str, Verdict] = {}
        self._contents: dict[uuid.UUID, int] = {}
        self._sightings: dict[RecordRef, str] = {}
        self._dead_letters: dict[LetterKey, DeadLetterRow] = {}
        self._shadow: dict[tuple[str, str], ShadowScore] = {}

    def write(self, verdicts: Sequence[Verdict], dead_letters: Sequence[DeadLetter]) -> Written:
        """Store a batch at once; the same batch twice changes nothing."""
        with self._lock:
            for letter in dead_letters:
                self._dead_letters.setdefault((letter.record, letter.stage), DeadLetterRow(letter, None))
            records = list({verdict.record: verdict for verdict in verdicts}.values())
            for verdict in records:
                self._sightings.setdefault(verdict.record, verdict.verdict_id)
            added = frozenset(verdict.verdict_id for verdict in facts(records) if self._add_fact(verdict))
            current = frozenset(verdict.video_id for verdict in newest(records) if self._make_current(verdict))
            return Written(added, current)

    def current(self, video_id: str) -> Verdict | None:
        """The video's current verdict."""
        return self._videos.get(video_id)

    def recent(self, limit: int, *, flagged_only: bool = False) -> list[Verdict]:
        """The newest current verdicts, or the newest of those a moderator should see; newest event_time first."""
        with self._lock:
            return in_order(v for v in self._videos.values() if is_flagged(v) or not flagged_only)[:limit]

    def counts(self, since: datetime) -> dict[str, int]:
        """Current verdicts with event_time after `since`, per verdict kind, plus `dead_letters` and `videos`."""
        with self._lock:
            found = Counter(verdict.verdict for verdict in self._videos.values() if verdict.event_time > since)
            dead = sum(row.dead_letter.died_at > since for row in self._dead_letters.values())
        return {**{kind.value: found[kind] for kind in VerdictKind}, "videos": found.total(), "dead_letters": dead}

    def dead_letters(self, limit: int, *, code: str | None = None) -> list[DeadLetterRow]:
        """The newest dead letters, newest first."""
        with self._lock:
            rows = [row for row in self._dead_letters.values() if code in {None, row.dead_letter.code}]
        return sorted(rows, key=lambda row: row.dead_letter.died_at, reverse=True)[:limit]

    def dead_letter(self, record: RecordRef, stage: str) -> DeadLetterRow | None:
        """One dead letter by its key."""
        return self._dead_letters.get((record, stage))

    def mark_replayed(self, letters: Sequence[tuple[RecordRef, str]], at: datetime) -> None:
        """Note that dead letters, each by its record and stage, were produced again."""
        with self._lock:
            for key in letters:
                if row := self._dead_letters.get(key):
                    self._dead_letters[key] = replace(row, replayed_at=at)

    def write_shadow(self, scores: Sequence[ShadowScore]) -> None:
        """Store what challengers said; what is there already stays as it is."""
        with self._lock:
            for score in scores:
                self._shadow.setdefault((score.verdict_id, score.challenger), score)

    def disagreement(self, since: datetime) -> list[Disagreement]:
        """How far challengers and champions were apart, by hour, newest first."""
        with self._lock:
            return [hour for hour in add_up(self._shadow.values()) if hour.hour >= since]

    def refresh_aggregates(self, since: datetime) -> None:
        """Nothing: there are none in memory."""

    def delete_expired(self, now: datetime) -> None:
        """Nothing: it ends with its process."""

    def ping(self) -> None:
        """Memory always answers."""

    def close(self) -> None:
        """Nothing to let go of."""

    def _add_fact(self, verdict: Verdict) -> bool:
        content, failed = content_id(verdict), failures(verdict)
        if self._contents.get(content, failed + 1) <= failed:
            return False
        self._contents[content] = failed
        known = self._facts.get(verdict.verdict_id)
        if known is not None and failures(known) <= failed:
            return False
        self._facts[verdict.verdict_id] = verdict
        return True

    def _make_current(self, verdict: Verdict) -> bool:
        known = self._videos.get(verdict.video_id)
        if known is not None and recency(known) > recency(verdict):
            return False
        self._videos[verdict.video_id] = verdict
        return True


class MemoryLive(MemoryBeats):
    """The live view of one process.

    Args:
        live_size: how many verdicts the view holds, and how many flagged ones.
        heartbeat_ttl_s: after how long a silent process disappears.
    """

    def __init__(self, *, live_size: int = 500, heartbeat_ttl_s: int = 10) -> None:
        self._size = live_size
        super().__init__(heartbeat_ttl_s)
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._followers: list[queue.SimpleQueue[Verdict]] = []
        self.clear()

    def clear(self) -> None:
        """Lose everything, as a Redis without persistence does when it restarts."""
        with self._lock:
            self._view: dict[str, Verdict] = {}
            self._counts: tuple[Mapping[str, int], datetime | None] = ({}, None)
            self._samples: deque[Sample] = deque(maxlen=SAMPLES)
            self._updated_at: datetime | None = None
            self._built = False
            self.forget_beats()

    def publish(self, verdicts: Sequence[Verdict], *, current: frozenset[str], now: datetime) -> None:
        """Put current verdicts into the view and hand every verdict to the followers."""
        with self._lock:
            self._put(for_view(verdicts, current=current), now)
            self._samples.extend(samples(verdicts, current=current, now=now))
            for follower in self._followers:
                for verdict in verdicts:
                    follower.put(verdict)

    def count(self, counts: Mapping[str, int], now: datetime) -> None:
        """Replace the counters."""
        self._counts = (dict(counts), now)

    def is_empty(self) -> bool:
        """Whether the view was never built or lost its data."""
        return not self._built

    def rebuild(self, verdicts: Sequence[Verdict], now: datetime) -> None:
        """Fill the view without telling the followers; newer verdicts in it stay."""
        with self._lock:
            self._put(for_view(verdicts, current=frozenset(v.video_id for v in verdicts)), now)
            self._built = True

    def snapshot(self) -> LiveSnapshot:
        """What a screen shows."""
        with self._lock:
            counts, counted_at = self._counts
            return LiveSnapshot(
                verdicts=tuple(in_order(self._view.values())),
                counts=counts,
                counted_at=counted_at,
                posted_to_alert_s=recent_seconds(self._samples, self._updated_at),
                heartbeats=self.beats().alive,
                updated_at=self._updated_at,
            )

    def follow(self, *, alerts_only: bool = True) -> Iterator[Verdict]:
        """First the view's verdicts (oldest first), then what is published, each verdict_id and outcome once."""
        told: queue.SimpleQueue[Verdict] = queue.SimpleQueue()
        seen = Seen(4 * self._size)
        self._followers.append(told)
        try:
            for verdict in itertools.chain(reversed(self.snapshot().verdicts), self._arriving(told)):
                if (is_flagged(verdict) or not alerts_only) and seen.is_new(verdict):
                    yield verdict
        finally:
            self._followers.remove(told)

    def forget(self, video_id: str) -> None:
        """Take a video out of the view."""
        with self._lock:
            self._view.pop(video_id, None)

    def ping(self) -> None:
        """Memory always answers."""

    def close(self) -> None:
        """End every `follow`."""
        self._closed.set()

    def _arriving(self, told: queue.SimpleQueue[Verdict]) -> Iterator[Verdict]:
        while not self._closed.is_set():
            try:
                yield told.get(timeout=0.05)
            except queue.Empty:
                continue

    def _put(self, verdicts: Sequence[Verdict], now: datetime) -> None:
        for verdict in verdicts:
            known = self._view.get(verdict.video_id)
            if known is None or known.event_time <= verdict.event_time:
                self._view[verdict.video_id] = verdict
        self._view = {verdict.video_id: verdict for verdict in kept(self._view.values(), size=self._size)}
        self._updated_at = now if verdicts else self._updated_at


class MemoryMedia:
    """Objects of one process. A link is `memory://bucket/key`: nothing serves it."""

    def __init__(self) -> None:
        self._buckets: dict[str, dict[str, tuple[bytes, str]]] = {}

    def ensure_buckets(self, buckets: Sequence[str]) -> None:
        """Create what is missing."""
        for bucket in buckets:
            self._buckets.setdefault(bucket, {})

    def put_file(self, bucket: str, key: str, path: Path, content_type: str) -> None:
        """Store a file."""
        self.put_bytes(bucket, key, path.read_bytes(), content_type)

    def put_bytes(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        """Store bytes."""
        if bucket not in self._buckets:
            raise MediaMissing(f"{bucket}/{key}: NoSuchBucket")
        self._buckets[bucket][key] = (body, content_type)

    def get_bytes(self, bucket: str, key: str) -> bytes:
        """A small object, whole.

        Raises:
            MediaMissing: no such object.
        """
        try:
            return self._buckets[bucket][key][0]
        except KeyError as error:
            raise MediaMissing(f"{bucket}/{key}: NoSuchKey") from error

    def fetch(self, bucket: str, key: str, to: Path, *, max_bytes: int) -> str:
        """Write to a file, returning the sha256.

        Raises:
            MediaMissing: no such object.
            MediaEmpty: it has no bytes.
            MediaTooLarge: over max_bytes.
        """
        body = self.get_bytes(bucket, key)
        if not body:
            raise MediaEmpty("the object has no bytes")
        if len(body) > max_bytes:
            raise MediaTooLarge(f"over {max_bytes} bytes")
        to.write_bytes(body)
        return hashlib.sha256(body).hexdigest()

    def size_bytes(self, bucket: str, key: str) -> int | None:
        """How large an object is; None when there is none."""
        found = self._buckets.get(bucket, {}).get(key)
        return len(found[0]) if found else None

    def remove(self, bucket: str, key: str) -> None:
        """Delete an object; one that is not there is deleted."""
        self._buckets.get(bucket, {}).pop(key, None)

    def listed(self, bucket: str) -> Iterator[StoredObject]:
        """Every object of a bucket."""
        return (StoredObject(key, len(body), datetime.now(UTC)) for key, (body, _) in self._buckets[bucket].items())

    def presign(self, bucket: str, key: str) -> str:
        """The object's name as a link."""
        return f"memory://{bucket}/{key}"

    def ping(self) -> None:
        """Memory always answers."""
