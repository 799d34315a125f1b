"""The ledger's counts → rows by source and by code, and the strip above them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.storage.ledger import OPEN_STATES, Item, ItemCount, ItemState
from dashboard.figures import Figure
from dashboard.wording import NOTHING, count, duration

ENDED_BADLY = (ItemState.REFUSED, ItemState.FAILED)
OLDEST_LIMIT_S = 900.0
RATE_OVER_S = 60.0
MEANINGS = {
    ItemState.FOUND: "known, not fetched yet",
    ItemState.FETCHED: "fetched and inspected, not stored yet",
    ItemState.STORED: "stored, not posted yet",
    ItemState.POSTED: "posted: the event is on its way or on the topic",
    ItemState.REPEATED: "the same video as another item; noted, not posted again",
    ItemState.REFUSED: "cannot be taken, with its code; not tried again by itself",
    ItemState.FAILED: "tried as often as allowed, with its code",
}


@dataclass(frozen=True)
class Arrivals:
    """One look at the ledger.

    Attributes:
        troubled: items that ended badly last, newest first.
        recent: items posted last, newest first; at most `recent_limit`.
        unsent: events of posted items that are not known to be on the topic.
        down_since: the first failed look in a row; None while the database answers.
    """

    counts: tuple[ItemCount, ...] = ()
    paused: frozenset[str] = frozenset()
    troubled: tuple[Item, ...] = ()
    recent: tuple[Item, ...] = ()
    recent_limit: int = 0
    oldest_waiting: datetime | None = None
    unsent: int = 0
    down_since: datetime | None = None


@dataclass(frozen=True)
class SourceRow:
    """How far the items of one source came."""

    source: str
    is_paused: bool
    by_state: dict[ItemState, int] = field(default_factory=dict)

    @property
    def troubled(self) -> int:
        """How many ended badly, and may be tried again."""
        return sum(self.by_state.get(state, 0) for state in ENDED_BADLY)


@dataclass(frozen=True)
class CodeRow:
    """How many items ended badly with one code, and from which sources."""

    code: str
    items: int
    sources: tuple[str, ...]


def by_source(arrivals: Arrivals) -> list[SourceRow]:
    """One row per source, in alphabetical order; a paused source has one also without items."""
    states: dict[str, dict[ItemState, int]] = {source: {} for source in arrivals.paused}
    for row in arrivals.counts:
        found = states.setdefault(row.source, {})
        found[row.state] = found.get(row.state, 0) + row.items
    return [SourceRow(source, source in arrivals.paused, states[source]) for source in sorted(states)]


def by_code(counts: Iterable[ItemCount]) -> list[CodeRow]:
    """One row per code that items ended badly with, the most frequent first."""
    items: dict[str, int] = {}
    sources: dict[str, set[str]] = {}
    for row in counts:
        if row.state in ENDED_BADLY and row.code is not None:
            items[row.code] = items.get(row.code, 0) + row.items
            sources.setdefault(row.code, set()).add(row.source)
    ordered = sorted(items, key=lambda code: (-items[code], code))
    return [CodeRow(code, items[code], tuple(sorted(sources[code]))) for code in ordered]


def arrival_figures(arrivals: Arrivals, now: datetime) -> list[Figure]:
    """The strip, in reading order."""
    refused, failed = (_total(arrivals.counts, state) for state in ENDED_BADLY)
    return [
        Figure("stored", *bytes_per_s(arrivals, now), meaning="Bytes of new videos per second, over the last minute."),
        _count(
            "waiting",
            sum(_total(arrivals.counts, state) for state in OPEN_STATES),
            "Not posted, refused or failed yet.",
        ),
        _oldest(arrivals, now),
        _count("posted", _total(arrivals.counts, ItemState.POSTED), "Each once, whatever was killed meanwhile."),
        _count("events to send", arrivals.unsent, "Of posted items, not yet confirmed by Kafka."),
        _count("repeated", _total(arrivals.counts, ItemState.REPEATED), "The same video as another item."),
        _count("refused", refused, "Cannot be taken; the code says why."),
        _count("failed", failed, "Tried as often as allowed; the code says why.", tone="bad"),
    ]


def bytes_per_s(arrivals: Arrivals, now: datetime) -> tuple[str, str]:
    """How fast videos come in, as a number and its unit."""
    window_s = RATE_OVER_S
    if arrivals.recent and len(arrivals.recent) >= arrivals.recent_limit:
        # The list ends within the minute: it is complete only as far back as it reaches.
        window_s = min(window_s, max(1.0, _age_s(arrivals.recent[-1], now)))
    total = sum(item.size_bytes or 0 for item in arrivals.recent if _age_s(item, now) <= window_s)
    return size(total / window_s)


def size(value_bytes: float) -> tuple[str, str]:
    """A rate of bytes as a person reads it: 12 kB/s, 3.4 MB/s."""
    for unit, unit_bytes in (("GB/s", 1e9), ("MB/s", 1e6), ("kB/s", 1e3)):
        if value_bytes >= unit_bytes:
            return f"{value_bytes / unit_bytes:.1f}", unit
    return f"{value_bytes:.0f}", "B/s"


def origin(item: Item) -> str:
    """Where an item came from, as its finder named it."""
    return item.link or item.path or item.item_key


def _oldest(arrivals: Arrivals, now: datetime) -> Figure:
    meaning = "Age of the oldest item that still has to be brought in, paused sources included."
    if arrivals.oldest_waiting is None:
        return Figure("oldest waiting", NOTHING, meaning=meaning)
    age_s = max(0.0, (now - arrivals.oldest_waiting).total_seconds())
    number, _, unit = duration(age_s).partition(" ")
    return Figure("oldest waiting", number, unit, tone="bad" if age_s > OLDEST_LIMIT_S else "", meaning=meaning)


def _count(name: str, number: int, meaning: str, *, tone: str = "") -> Figure:
    return Figure(name, count(number), tone=tone if number else "", meaning=meaning)


def _total(counts: Sequence[ItemCount], state: ItemState) -> int:
    return sum(row.items for row in counts if row.state is state)


def _age_s(item: Item, now: datetime) -> float:
    return max(0.0, (now - item.updated_at).total_seconds())
