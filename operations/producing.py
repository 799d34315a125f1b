"""Lines of posts → the feed and the account of what became of each."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from core.clock import Clock
from core.errors import InputError
from core.settings import Settings
from core.storage.items import OPEN_STATES, Item, ItemState, NewItem
from ingestion.feed import ENDED_BADLY, Feed, Taken, this_host
from ingestion.posts import Line, Post, item_of
from ingestion.producer import VideoEventProducer

TOOL = f"clipwarden {version('clipwarden')}"
LOOK_EVERY_S = 1.0
BATCH = 16
"""As many as a dead command leaves in hand, until their leases run out."""


@dataclass
class Account:
    """What became of what was given.

    Attributes:
        posted: how many are in now, recorded events included.
        repeated: how many were in before, or are the same video as another.
        waiting: what is tried again later, or is in somebody else's hands, by name.
        refused: what cannot be taken, by name, with the code and the reason.
    """

    posted: int = 0
    repeated: int = 0
    waiting: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    _counted: set[int] = field(default_factory=set)

    def note(self, name: str, taken: Taken) -> None:
        """Count one item by where it ended; each once as posted."""
        item = taken.item
        self.waiting.pop(name, None)
        if item.state in ENDED_BADLY:
            self.refused[name] = f"{item.code}: {item.message}"
        elif item.state in OPEN_STATES:
            self.waiting[name] = _why(item)
        elif item.state is ItemState.POSTED and taken.is_ours and item.item_id not in self._counted:
            self._counted.add(item.item_id)
            self.posted += 1
        else:
            self.repeated += 1

    def as_json(self) -> dict[str, object]:
        """As `--json` prints it."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class Producing:
    """Puts lines into the platform."""

    def __init__(self, settings: Settings, feed: Feed, account: Account, *, clock: Clock) -> None:
        self._settings = settings
        self._feed = feed
        self._account = account
        self._clock = clock

    def run(self, lines: Iterable[Line], *, at_once: bool = True) -> None:
        """Take every line in, in order, and prove the delivery of its event.

        Args:
            lines: posts and recorded events.
            at_once: several together; else each when it comes.

        Raises:
            DependencyError: some were not taken in; what was is safe, and the same lines may be given again.
        """
        rest, buckets = iter(lines), self._settings.media.allowed_buckets
        held: list[NewItem] = []
        with VideoEventProducer(self._settings.kafka.brokers, buckets=buckets) as producer:
            while batch := list(islice(rest, BATCH if at_once else 1)):
                for event in (line for line in batch if isinstance(line, Mapping)):
                    self._send(producer, event)
                held += self.take([self.item(*line) for line in batch if not isinstance(line, Mapping)], again=True)
        self._wait_for(held)

    def item(self, path: Path | None, post: Post) -> NewItem:
        """The item of a post; taken again, the same one adds no sighting."""
        return item_of(path, post, host=this_host(), tool=TOOL, now=self._clock.now())

    def take(self, items: Sequence[NewItem], *, again: bool) -> list[NewItem]:
        """Bring items in and send their events; returns those that somebody else has in hand."""
        if not items:
            return []
        taken = self._feed.take(items, again=again)
        self._feed.send()
        for new, one in zip(items, taken, strict=True):
            self._account.note(name_of(new), one)
        return [new for new, one in zip(items, taken, strict=True) if _is_held(one)]

    def _wait_for(self, held: list[NewItem]) -> None:
        """Whoever holds them finishes them, or died: then its leases run out, and they are ours."""
        deadline_s = self._clock.monotonic_s() + self._settings.ingestion.lease_s + 2 * LOOK_EVERY_S
        while held and self._clock.monotonic_s() < deadline_s:
            time.sleep(LOOK_EVERY_S)
            held = self.take(held, again=False)

    def _send(self, producer: VideoEventProducer, event: Mapping[str, Any]) -> None:
        try:
            producer.send(event)
        except InputError as error:
            self._account.refused[str(event.get("video_id"))] = str(error)
        else:
            self._account.posted += 1


def name_of(item: NewItem) -> str:
    """What a person calls it."""
    return item.path or item.item_key


def _is_held(taken: Taken) -> bool:
    return taken.item.state in OPEN_STATES and taken.item.lease_owner is not None and not taken.is_ours


def _why(item: Item) -> str:
    if item.code:
        return f"{item.code}: {item.message}"
    return "another process has it in hand" if item.lease_owner else f"the source {item.source} is paused"
