"""What the stages need of the stores: one port each, whose real implementation and in-memory twin pass one test."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from core.events import DeadLetter, RecordRef, Verdict
from core.storage.beats import PartitionBeat, ProcessBeat, Silent


@dataclass(frozen=True)
class Written:
    """What one transaction did.

    Attributes:
        facts: verdict_ids newly added to `verdicts` (a repeat of the same content adds none).
        current: video_ids whose current verdict in `videos` is now the one written.
    """

    facts: frozenset[str]
    current: frozenset[str]


@dataclass(frozen=True)
class DeadLetterRow:
    """A dead letter as stored, with what became of it."""

    dead_letter: DeadLetter
    replayed_at: datetime | None


class VerdictHistory(Protocol):
    """The durable record: `videos`, `verdicts`, `sightings`, `dead_letters` in one database."""

    def write(self, verdicts: Sequence[Verdict], dead_letters: Sequence[DeadLetter]) -> Written:
        """Store a batch in one transaction; the same batch twice changes nothing.

        Guarantee: returns only after commit. The batch may hold repeats of a key. A fact is added only if its video has
        none with the same media sha256, caption hash, model and policy version, or only one in which more modalities
        had failed; every record adds a sighting; the newest event_time becomes the video's current verdict.

        Raises:
            StoreUnavailable: nothing was stored.
        """
        ...

    def current(self, video_id: str) -> Verdict | None:
        """The video's current verdict."""
        ...

    def recent(self, limit: int, *, flagged_only: bool = False) -> list[Verdict]:
        """The newest current verdicts, or the newest of those a moderator should see; newest event_time first."""
        ...

    def counts(self, since: datetime) -> dict[str, int]:
        """Current verdicts with event_time after `since`, per verdict kind, plus `dead_letters` and `videos`."""
        ...

    def dead_letters(self, limit: int, *, code: str | None = None) -> list[DeadLetterRow]:
        """The newest dead letters, newest first."""
        ...

    def dead_letter(self, record: RecordRef, stage: str) -> DeadLetterRow | None:
        """One dead letter by its key."""
        ...

    def refresh_aggregates(self, since: datetime) -> None:
        """Recount the aggregates from `since` on, and whatever came since the last call."""
        ...

    def delete_expired(self, now: datetime) -> None:
        """Delete what is older than retention."""
        ...

    def mark_replayed(self, letters: Sequence[tuple[RecordRef, str]], at: datetime) -> None:
        """Note that dead letters, each by its record and stage, were produced again."""
        ...

    def ping(self) -> None:
        """Raise StoreUnavailable when the database does not answer."""
        ...

    def close(self) -> None:
        """Let go of the pool."""
        ...


@dataclass(frozen=True)
class Heartbeat:
    """A sign of life of one process.

    Attributes:
        kind: flow, worker, ingestion, gateway, router, supervisor.
        instance: tells two of a kind apart, e.g. the share.
        state: ready, starting, waiting, draining; `detail` says for what.
        numbers: gauges by name, units in the names; to what ends in `_total`, `_per_s` is added as it beats.
        port: of its health endpoint on this host, 0 when it has none.
        host, pid: which process it is.
        error: the last warning or error it logged, empty without one; `error_at` says when.
        partitions: of a flow.
        processes: of a supervisor.
        facts: what it says of itself that is no number, for people: models, thresholds.
    """

    kind: str
    instance: str
    state: str
    version: str
    at: datetime
    detail: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    port: int = 0
    host: str = ""
    pid: int = 0
    error: str = ""
    error_at: datetime | None = None
    partitions: tuple[PartitionBeat, ...] = ()
    processes: tuple[ProcessBeat, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Beats:
    """Every process that beats, and those that stopped."""

    alive: tuple[Heartbeat, ...]
    silent: tuple[Silent, ...]


@dataclass(frozen=True)
class LiveSnapshot:
    """What a monitor shows.

    Attributes:
        verdicts: the newest `live_size` current verdicts, and the newest `live_size` flagged ones (action alert or
            review) however many others came after them; each video once, newest event_time first.
        counts: per verdict kind in the last hour, plus `dead_letters` and `videos`; as of `counted_at`.
        posted_to_alert_s: recent samples, record timestamp to publish, replays excluded.
        heartbeats: of every process whose heartbeat did not run out.
        updated_at: when the projection last changed; None before the first verdict.
    """

    verdicts: tuple[Verdict, ...]
    counts: Mapping[str, int]
    counted_at: datetime | None
    posted_to_alert_s: tuple[float, ...]
    heartbeats: tuple[Heartbeat, ...]
    updated_at: datetime | None


class LiveView(Protocol):
    """A projection of the history for screens: losing it loses nothing."""

    def publish(self, verdicts: Sequence[Verdict], *, current: frozenset[str], now: datetime) -> None:
        """Put current verdicts (video_id in `current`) into the view and every verdict on the channels.

        In the view an older verdict never replaces a newer one, and a video that is no longer flagged is one of all.
        All on `clipwarden:verdicts`, those with action `alert` or `review` also on `clipwarden:alerts`; repeats carry
        the same verdict_id. Adds posted_to_alert samples for alerts that are no replay.

        Raises:
            CacheUnavailable: some or none of it happened; publish the same again.
        """
        ...

    def count(self, counts: Mapping[str, int], now: datetime) -> None:
        """Replace the counters."""
        ...

    def is_empty(self) -> bool:
        """Whether the view was never built or lost its data, so that it must be rebuilt from the history."""
        ...

    def rebuild(self, verdicts: Sequence[Verdict], now: datetime) -> None:
        """Fill the view without touching the channels; newer verdicts in it stay.

        Args:
            verdicts: the history's recent ones and its recent flagged ones, in any order, doubles allowed.
            now: when.
        """
        ...

    def snapshot(self) -> LiveSnapshot:
        """What a screen shows."""
        ...

    def follow(self, *, alerts_only: bool = True) -> Iterator[Verdict]:
        """First the view's verdicts (oldest first), then what is published; survives reconnects.

        Each verdict_id once, and again only with another outcome (a replay of what had failed). Ends with `close`.
        """
        ...

    def forget(self, video_id: str) -> None:
        """Take a video out of the view.

        Raises:
            CacheUnavailable: it may still be there; forget it again.
        """
        ...

    def beat(self, heartbeat: Heartbeat) -> None:
        """Note a sign of life; it runs out by itself."""
        ...

    def beats(self) -> Beats:
        """Who gives signs of life, and who gave them within the last day."""
        ...

    def ping(self) -> None:
        """Raise CacheUnavailable when Redis does not answer."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


@dataclass(frozen=True)
class StoredObject:
    """An object that is there."""

    key: str
    size_bytes: int
    changed_at: datetime


class MediaStore(Protocol):
    """Objects by bucket and key; buckets are private."""

    def ensure_buckets(self, buckets: Sequence[str]) -> None:
        """Create what is missing."""
        ...

    def put_file(self, bucket: str, key: str, path: Path, content_type: str) -> None:
        """Store a file; returns after the store confirmed it."""
        ...

    def put_bytes(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        """Store bytes; returns after the store confirmed them."""
        ...

    def get_bytes(self, bucket: str, key: str) -> bytes:
        """A small object, whole.

        Raises:
            MediaMissing: no such object.
        """
        ...

    def fetch(self, bucket: str, key: str, to: Path, *, max_bytes: int) -> str:
        """Download to a file, returning the sha256 of what was read.

        Raises:
            MediaMissing: no such object.
            MediaEmpty: it has no bytes.
            MediaTooLarge: over max_bytes; what was read is deleted.
            ObjectsUnavailable: the store does not answer.
        """
        ...

    def size_bytes(self, bucket: str, key: str) -> int | None:
        """How large an object is; None when there is none.

        Raises:
            ObjectsUnavailable: the store does not answer.
        """
        ...

    def remove(self, bucket: str, key: str) -> None:
        """Delete an object; one that is not there is deleted."""
        ...

    def listed(self, bucket: str) -> Iterator[StoredObject]:
        """Every object of a bucket."""
        ...

    def presign(self, bucket: str, key: str) -> str:
        """A link that opens the object for a short while, without credentials in it."""
        ...

    def ping(self) -> None:
        """Raise ObjectsUnavailable when the store does not answer."""
        ...
