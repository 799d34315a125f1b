"""What analytics is about: a period and filters as they stand in the address, and the time they mean. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from dashboard.asked import day_of, plain

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
BY_DAYS_FROM = timedelta(days=14)
"""From this length on, counts per day are read."""
MAX_LENGTH = timedelta(days=366)
_ORIGIN = datetime(2000, 1, 1, tzinfo=UTC)
_STEPS = ((timedelta(hours=2), QUARTER), (timedelta(hours=30), timedelta(hours=1)), (BY_DAYS_FROM, timedelta(hours=6)))


class Period(StrEnum):
    """How far back to look."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    CUSTOM = "custom"


LENGTHS = {
    Period.HOUR: timedelta(hours=1),
    Period.DAY: timedelta(days=1),
    Period.WEEK: timedelta(days=7),
    Period.MONTH: timedelta(days=30),
}


@dataclass(frozen=True)
class Choice:
    """What a person asked for.

    Attributes:
        first: and `last`: days of a custom period, both included, in `zone`.
        source, language, label: None leaves them open.
    """

    period: Period = Period.DAY
    first: date | None = None
    last: date | None = None
    source: str | None = None
    language: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class Window:
    """From `start` up to, and without, `end`; counts are shown per `step`.

    Attributes:
        elapsed: how much of it has passed: what the counts of this window took.
    """

    start: datetime
    end: datetime
    step: timedelta
    elapsed: timedelta
    source: str | None = None
    language: str | None = None
    label: str | None = None

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    @property
    def by_days(self) -> bool:
        """Whether its counts are read per day."""
        return self.step >= DAY

    @property
    def steps(self) -> list[datetime]:
        """Where each step begins."""
        return [self.start + self.step * place for place in range(-(-self.length // self.step))]


def choice_of(address: Mapping[str, str]) -> Choice:
    """What the address asks for; what it says wrongly is left open."""
    named = address.get("period", "")
    period = Period(named) if named in set(Period) else Period.DAY
    first, last = (day_of(address.get(name, "")) for name in ("from", "to"))
    if period is Period.CUSTOM and not (first and last):
        period = Period.DAY
    if period is not Period.CUSTOM:
        first = last = None
    if first and last:
        first, last = sorted((first, last))
    filters = (plain(address.get(name, "")) or None for name in ("source", "language", "label"))
    return Choice(period, first, last, *filters)


def address_of(choice: Choice) -> dict[str, str]:
    """The address that asks for it."""
    days = {"from": choice.first, "to": choice.last} if choice.period is Period.CUSTOM else {}
    filters = {"source": choice.source, "language": choice.language, "label": choice.label}
    named = {"period": choice.period, **days, **filters}
    return {name: str(value) for name, value in named.items() if value and value is not Period.DAY}


def window_of(choice: Choice, now: datetime, zone: tzinfo) -> Window:
    """The time this means now: whole quarters of an hour, or whole days (UTC) where it is long."""
    if choice.first and choice.last:
        start, end = _midnight(choice.first, zone), _midnight(choice.last + timedelta(days=1), zone)
        start = max(start, end - MAX_LENGTH)
    else:
        length = LENGTHS[choice.period]
        grain = DAY if length >= BY_DAYS_FROM else QUARTER
        end = _floor(now, grain) + grain
        start = end - length
    if end - start >= BY_DAYS_FROM:
        start, end = _floor(start, DAY), end + (_ORIGIN - end) % DAY
    elapsed, filters = max(QUARTER, min(now, end) - start), (choice.source, choice.language, choice.label)
    return Window(start, end, _step(end - start), elapsed, *filters)


def _step(length: timedelta) -> timedelta:
    return next((step for limit, step in _STEPS if length < limit), DAY)


def _floor(at: datetime, grain: timedelta) -> datetime:
    return at - (at - _ORIGIN) % grain


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
