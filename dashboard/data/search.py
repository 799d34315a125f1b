"""Finds videos by what is known of them: the content audit's one way to the database."""

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from core.access import Capability, Person
from core.events import Verdict
from core.labels import Action, Mode, VerdictKind
from core.storage.database import Database
from core.storage.reviews import Reviews
from dashboard.data import search_sql
from dashboard.data.search_query import Place, Query, Sort, fits
from dashboard.data.search_rows import Choices, Page, Row, Seen, Story, Version

COUNTED_TO = 10_000
"""Nobody reads further; a count that goes on costs what the search itself saves."""
CHOICES_FROM = 20_000
STORY_ROWS = 50


class Search:
    """Each call is one look for one person, and one query but for `story`.

    All raise Forbidden where the person may not see verdicts, and StoreUnavailable.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reviews = Reviews(database)

    def page(self, person: Person, query: Query, *, limit: int, token: str = "") -> Page:
        """Matching videos from the place that a Page's token names; any other token means the beginning."""
        person.require(Capability.SEE_VERDICTS)
        place = fits(Place.parse(token), query.sort)
        found = self._rows(query, search_sql.page(query, place, limit + 1))
        return _page(found, query, place, limit)

    def count(self, person: Person, query: Query) -> int:
        """How many match, up to COUNTED_TO; one more than that means: over COUNTED_TO."""
        person.require(Capability.SEE_VERDICTS)
        return int(self._rows(query, search_sql.count_to(query, COUNTED_TO + 1))[0][0])

    def choices(self, person: Person) -> Choices:
        """Values that filters can offer."""
        person.require(Capability.SEE_VERDICTS)
        with self._database.connection() as connection:
            row = connection.execute(search_sql.CHOICES, {"newest": CHOICES_FROM}).fetchone() or ()
        return Choices(*(sorted(value for value in values or () if value) for values in row))

    def blocking(self, person: Person, query: Query) -> list[str]:
        """Of a query that finds nothing: the filters any one of which, cleared alone, lets it find something."""
        person.require(Capability.SEE_VERDICTS)
        names = query.narrowed
        if not names:
            return []
        found = self._rows(query, search_sql.any_of(query.without(name) for name in names))[0]
        return [name for name, finds in zip(names, found, strict=True) if finds]

    def verdict(self, person: Person, video_id: str) -> Verdict | None:
        """The video's current verdict with its evidence."""
        person.require(Capability.SEE_VERDICTS)
        with self._database.connection() as connection:
            row = connection.execute(search_sql.VERDICT, {"video_id": video_id}).fetchone()
        return Verdict.model_validate_json(row[0]) if row else None

    def story(self, person: Person, video_id: str) -> Story:
        """Every verdict ever given on the video, every decision, every record of it; a query for each."""
        person.require(Capability.SEE_VERDICTS)
        named = {"video_id": video_id, "limit": STORY_ROWS}
        with self._database.connection() as connection:
            versions = connection.execute(search_sql.VERSIONS, named).fetchall()
            sightings = connection.execute(search_sql.SIGHTINGS, named).fetchall()
        return Story(
            [Version(*(*row[:3], VerdictKind(row[3]), *row[4:])) for row in versions],
            self._reviews.of_video(person, video_id)[:STORY_ROWS],
            [Seen(*row) for row in sightings],
        )

    def _rows(self, query: Query, statement: sql.Composed) -> list[tuple[Any, ...]]:
        if not search_sql.has_words(query):
            with self._database.connection() as connection:
                return connection.execute(statement).fetchall()
        with self._database.transaction() as connection:
            connection.execute(search_sql.PREFER_THE_INDEX)
            return connection.execute(statement).fetchall()

    def close(self) -> None:
        """Let go of the pool."""
        self._database.close()


def read_row(values: Sequence[Any]) -> Row:
    """A row of the answer as it comes from the database."""
    kind, action, mode = values[3:6]
    return Row(*(*values[:3], VerdictKind(kind), Action(action), Mode(mode), *values[6:]))


def _page(found: Sequence[Sequence[Any]], query: Query, place: Place | None, limit: int) -> Page:
    has_more, kept = len(found) > limit, list(found[:limit])
    backwards = place is not None and place.is_before
    if backwards:
        kept.reverse()
    if not kept:
        return Page()
    has_before = has_more if backwards else place is not None
    has_after = True if backwards else has_more
    return Page(
        [read_row(values[:-1]) for values in kept],
        before=_place(kept[0], query.sort, is_before=True).token() if has_before else "",
        after=_place(kept[-1], query.sort, is_before=False).token() if has_after else "",
    )


def _place(values: Sequence[Any], sort: Sort, *, is_before: bool) -> Place:
    video_id, event_time, value = values[0], values[1], values[-1]
    return Place("" if sort is Sort.TIME else value, event_time, video_id, is_before)
