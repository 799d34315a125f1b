"""Counts over time for who may see verdicts: from the aggregates, one statement per block, never from all rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from core.access import Capability, Person
from core.clock import Clock
from core.labels import VerdictKind
from core.storage.database import Database
from core.storage.policies import PolicyNote, read
from core.storage.trends import STEP_BASE, day_of, fine_since
from dashboard.data import trends_sql
from dashboard.data.trends_sql import SAMPLE_PER_SLICE, SLICES
from dashboard.period import DAY, Window
from dashboard.trend_rows import Bin, Challenge, Histogram, ModelRow, Pair, Point, Tally, Totals, Values, Wait

TALLIED_FROM = 5
"""A name with fewer videos in the period is not ranked."""
TALLIES = 10


class Trends:
    """Reads the aggregates. All need `SEE_VERDICTS`, else Forbidden; all raise StoreUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def totals(self, person: Person, window: Window) -> tuple[Totals, Totals]:
        """The window's, and those of as long a time before it."""
        row = self._rows(person, trends_sql.TOTALS, window, before=window.start - window.length)[0]
        return Totals(*row[:6]), Totals(*row[6:])

    def series(self, person: Person, window: Window) -> tuple[Point, ...]:
        """Counts per step; a step without verdicts is not there."""
        rows = self._rows(person, trends_sql.SERIES, window)
        return tuple(Point(_utc(at), VerdictKind(kind), label, videos) for at, kind, label, videos in rows)

    def scores(self, person: Person, window: Window) -> Histogram:
        """Scores by bin."""
        rows = self._rows(person, trends_sql.SCORES, window)
        counted: dict[tuple[int, str], int] = {}
        for _, place, kind, videos, *_ in rows:
            if place is not None:
                counted[place, kind] = counted.get((place, kind), 0) + videos
        bins = tuple(Bin(place, VerdictKind(kind), videos) for (place, kind), videos in sorted(counted.items()))
        version, *_, labels = max(rows, key=itemgetter(4, 3), default=("", None))
        policy = PolicyNote(version, read(labels)) if labels else None
        return Histogram(bins, policy, len({row[0] for row in rows}))

    def pairs(self, person: Person, window: Window) -> tuple[Pair, ...]:
        """At most SLICES x SAMPLE_PER_SLICE videos with both scores, spread evenly over the window."""
        rows = self._rows(person, trends_sql.PAIRS, window, slices=SLICES, per_slice=SAMPLE_PER_SLICE)
        return tuple(Pair(text, video, VerdictKind(kind)) for text, video, kind in rows)

    def authors(self, person: Person, window: Window) -> tuple[Tally, ...]:
        """Those with the highest harmful rate, by the lower bound of its interval."""
        return self._tallies(person, trends_sql.AUTHORS, window)

    def hashtags(self, person: Person, window: Window) -> tuple[Tally, ...]:
        """As `authors`."""
        return self._tallies(person, trends_sql.HASHTAGS, window)

    def waits(self, person: Person, window: Window) -> tuple[Wait, ...]:
        """How long alerts waited, from the event's record to the decision, within 5 %; replays excluded."""
        rows = self._rows(person, trends_sql.WAITS, window)
        return tuple(Wait(_utc(at), STEP_BASE**step, alerts) for at, step, alerts in rows)

    def models(self, person: Person, window: Window) -> tuple[ModelRow, ...]:
        """The versions that judged, the last one first; how long their alerts waited is told as `waits` does."""
        return tuple(_model(*row) for row in self._rows(person, trends_sql.MODELS, window))

    def challenges(self, person: Person, window: Window) -> tuple[Challenge, ...]:
        """Challengers beside champions; of all sources and languages."""
        return tuple(Challenge(*row) for row in self._rows(person, trends_sql.CHALLENGES, window))

    def values(self, person: Person, window: Window) -> Values:
        """What there is to filter by, in the window or before it."""
        columns = zip(*self._rows(person, trends_sql.VALUES, window), strict=True)
        return Values(*(tuple(sorted({value for value in column if value is not None})) for column in columns))

    def _tallies(self, person: Person, statement: bytes, window: Window) -> tuple[Tally, ...]:
        # Older ones are counted by whole days.
        start = day_of(window.start) if is_by_days(window, self._clock.now()) else window.start
        rows = self._rows(person, statement, window, tallied_from=TALLIED_FROM, limit=TALLIES, start=start)
        return tuple(Tally(*row) for row in rows)

    def _rows(self, person: Person, statement: bytes, window: Window, **more: object) -> Sequence[Any]:
        person.require(Capability.SEE_VERDICTS)
        table = b"verdicts_per_day" if window.by_days else b"verdicts_per_quarter_hour"
        filters = {"source": window.source, "language": window.language, "label": window.label}
        values = {"start": window.start, "end": window.end, "step": window.step, **filters, **more}
        return self._read(statement.replace(b"{counts}", table), values)

    def _read(self, statement: bytes, values: Mapping[str, object]) -> Sequence[Any]:
        with self._database.connection() as connection:
            return connection.execute(statement, values).fetchall()


def is_by_days(window: Window, now: datetime) -> bool:
    """Whether names are counted by whole days (UTC) in this window: fine counts are kept two days."""
    return window.length > 2 * DAY or window.start < fine_since(now)


def _model(*row: Any) -> ModelRow:  # noqa: ANN401 - columns, as the statement names them
    *said, steps, alerts = row
    waits = tuple((STEP_BASE**step, number) for step, number in zip(steps, alerts, strict=True))
    return replace(ModelRow(*said), waits=waits)


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
