"""Verdicts without servers: the flow's own scorer and policy over local files and models in this process."""

import hashlib
import shutil
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Self

from core.clock import SystemClock
from core.errors import EventInvalid, MediaEmpty, MediaMissing, MediaTooLarge
from core.events import Verdict, VideoPosted
from core.health import Health
from core.media.cage import Cage
from core.settings import Settings
from core.storage.memory import MemoryMedia
from dataflows.apply import PolicyApplier
from dataflows.decide import Origin
from dataflows.decode import Decoder
from dataflows.infer import Scored, Scorer
from dataflows.parse import Posted, Record, Rejected
from dataflows.policy import PolicyFile
from dataflows.wait import Patience
from operations.local import LocalClient

BUCKET = "files"
AHEAD = 16


@dataclass(frozen=True)
class Item:
    """What is to be scored: a file, a text, or both."""

    path: Path | None
    caption: str | None


class LocalFiles(MemoryMedia):
    """The flow's object store, where a key is a path."""

    def fetch(self, bucket: str, key: str, to: Path, *, max_bytes: int) -> str:
        """Copy the file; see MediaStore."""
        del bucket
        source = Path("/") / key
        if not source.is_file():
            raise MediaMissing(f"{source} is no file")
        size_bytes = source.stat().st_size
        if size_bytes == 0:
            raise MediaEmpty(f"{source} is empty")
        if size_bytes > max_bytes:
            raise MediaTooLarge(f"{source} has {size_bytes} bytes, over CLIPWARDEN_DECODE__MAX_BYTES={max_bytes}")
        shutil.copyfile(source, to)
        with to.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


class LocalScoring:
    """Scores items in order, a few at once."""

    def __init__(self, settings: Settings) -> None:
        clock = SystemClock()
        self._clock = clock
        self._cage = Cage(settings.decode)
        self._client = LocalClient(settings.serving)
        patience = Patience(Health(), Event())
        decoder = Decoder(LocalFiles(), self._cage, settings=settings.decode, patience=patience)
        self._scorer = Scorer(self._client, decoder, threads=settings.decode.children, clock=clock)
        self._applier = PolicyApplier(PolicyFile(settings.flow.policy_file), self._client.served().labels, clock=clock)
        self.labels = sorted(PolicyFile(settings.flow.policy_file).policy.labels)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._scorer.close()
        self._cage.close()

    def score(self, items: Iterable[Item]) -> Iterator[Verdict]:
        """One verdict per item, in order.

        Raises:
            EventInvalid: a caption no event could carry.
        """
        waiting: deque[Scored | Rejected | Future[Scored]] = deque()
        for number, item in enumerate(items):
            waiting.append(self._submit(number, item))
            if len(waiting) >= AHEAD:
                yield self._verdict(waiting.popleft())
        while waiting:
            yield self._verdict(waiting.popleft())

    def _verdict(self, scored: "Scored | Rejected | Future[Scored]") -> Verdict:
        outcome = self._applier.outcome(scored.result() if isinstance(scored, Future) else scored)
        if outcome.verdict is None:
            raise EventInvalid("; ".join(letter.message for letter in outcome.dead_letters))
        return outcome.verdict

    def _submit(self, number: int, item: Item) -> "Scored | Rejected | Future[Scored]":
        now = self._clock.now()
        uri = f"s3://{BUCKET}/{str(item.path.resolve()).lstrip('/')}" if item.path is not None else None
        event = VideoPosted(
            schema_="video.posted.v1",
            video_id=f"local:{number}",
            media_uri=uri,
            caption=item.caption,
            platform="local",
            posted_at=now,
            source="score",
        )
        record = Record("local", 0, number, None, event.to_bytes(), (), now)
        return self._scorer.submit(Posted(record, event, Origin(record.ref, now)))
