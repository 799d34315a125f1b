"""The ledger's counts → rows by source and by code, and the strip above them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.storage.items import OPEN_STATES, Item, ItemCount, ItemState
from dashboard.data.intake import STORED_OVER_S, Pulse
from dashboard.figures import Figure
from dashboard.language import say
from dashboard.wording import NOTHING, count, duration, size

ENDED_BADLY = (ItemState.REFUSED, ItemState.FAILED)
OLDEST_LIMIT_S = 900.0
MEANINGS = {
    ItemState.FOUND: "known, not fetched yet",
    ItemState.FETCHED: "fetched and inspected, not stored yet",
    ItemState.STORED: "stored, not posted yet",
    ItemState.POSTED: "posted: the event is on its way or on the topic",
    ItemState.REPEATED: "the same video as another item; noted, not posted again",
    ItemState.REFUSED: "cannot be taken, with its code; not tried again by itself",
    ItemState.FAILED: "tried as often as allowed, with its code",
}
STATES = {state: state.value for state in ItemState}


@dataclass(frozen=True)
class Arrivals:
    """One look at the ledger.

    Attributes:
        pulse: what changes from second to second.
        troubled: items that ended badly last, newest first.
        at: when the pulse was read; None before the first look.
        down_since: the first failed look in a row; None while the database answers.
    """

    counts: tuple[ItemCount, ...] = ()
    pulse: Pulse = field(default_factory=Pulse)
    troubled: tuple[Item, ...] = ()
    at: datetime | None = None
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
    states: dict[str, dict[ItemState, int]] = {source: {} for source in arrivals.pulse.paused}
    for row in arrivals.counts:
        found = states.setdefault(row.source, {})
        found[row.state] = found.get(row.state, 0) + row.items
    return [SourceRow(source, source in arrivals.pulse.paused, states[source]) for source in sorted(states)]


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
    number, _, unit = size(arrivals.pulse.stored_bytes / STORED_OVER_S).partition(" ")
    return [
        Figure(
            say("stored"),
            number,
            f"{unit}/s",
            meaning=say("Bytes of new videos per second, over the last minute."),
        ),
        _count(
            say("waiting"),
            sum(_total(arrivals.counts, state) for state in OPEN_STATES),
            say("Not posted, refused or failed yet."),
        ),
        _oldest(arrivals, now),
        _count(
            say("posted"),
            _total(arrivals.counts, ItemState.POSTED),
            say("Each once, whatever was killed meanwhile."),
        ),
        _count(say("events to send"), arrivals.pulse.unsent, say("Of posted items, not yet confirmed by Kafka.")),
        _count(say("repeated"), _total(arrivals.counts, ItemState.REPEATED), say("The same video as another item.")),
        _count(say("refused"), refused, say("Cannot be taken; the code says why.")),
        _count(say("failed"), failed, say("Tried as often as allowed; the code says why."), tone="bad"),
    ]


def origin(item: Item) -> str:
    """Where an item came from, as its finder named it."""
    return item.link or item.path or item.item_key


def _oldest(arrivals: Arrivals, now: datetime) -> Figure:
    meaning = say("Age of the oldest item that still has to be brought in, paused sources included.")
    if arrivals.pulse.oldest_waiting is None:
        return Figure(say("oldest waiting"), NOTHING, meaning=meaning)
    age_s = max(0.0, (now - arrivals.pulse.oldest_waiting).total_seconds())
    number, _, unit = duration(age_s).partition(" ")
    tone = "bad" if age_s > OLDEST_LIMIT_S else ""
    return Figure(say("oldest waiting"), number, unit, tone=tone, meaning=meaning)


def _count(name: str, number: int, meaning: str, *, tone: str = "") -> Figure:
    return Figure(name, count(number), tone=tone if number else "", meaning=meaning)


def _total(counts: Sequence[ItemCount], state: ItemState) -> int:
    return sum(row.items for row in counts if row.state is state)
