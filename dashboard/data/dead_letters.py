"""Dead letters as the Pipeline page shows them: counted by code, listed by page, one of them whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row, dict_row

from core.access import Capability, Person
from core.events import RecordRef
from core.storage.database import Database
from core.storage.history_rows import read_dead_letter
from core.storage.orders import OfLetter
from core.storage.ports import DeadLetterRow

_COUNTS = b"""
SELECT code, count(*) AS letters, count(*) FILTER (WHERE replayed_at IS NULL) AS open, max(died_at) AS newest_at
FROM dead_letters GROUP BY code ORDER BY open DESC, letters DESC, code
"""
_PAGE = b"""
SELECT topic, partition, "offset", stage, code, message, video_id, died_at, replayed_at FROM dead_letters
WHERE (%(code)s::text IS NULL OR code = %(code)s)
ORDER BY died_at DESC, topic, partition, "offset", stage LIMIT %(limit)s OFFSET %(skip)s
"""
# Those that are on the screen, as they are now, and how many died since.
_AGAIN = b"""
SELECT topic, partition, "offset", stage, code, message, video_id, died_at, replayed_at, (SELECT count(*) FROM (
    SELECT 1 FROM dead_letters WHERE died_at > %(since)s AND (%(code)s::text IS NULL OR code = %(code)s)
    LIMIT %(most)s) AS newer)
FROM dead_letters
JOIN unnest(%(topics)s::text[], %(partitions)s::int4[], %(offsets)s::int8[], %(stages)s::text[]) WITH ORDINALITY
    AS wanted (topic, partition, "offset", stage, place) USING (topic, partition, "offset", stage)
ORDER BY place
"""
_ONE = b"""
SELECT * FROM dead_letters
WHERE topic = %(topic)s AND partition = %(partition)s AND "offset" = %(offset)s AND stage = %(stage)s
"""

MOST_NEWER = 100
"""Those that died since are not counted further."""


@dataclass(frozen=True)
class CodeCount:
    """How many dead letters one code has; `open` are not replayed yet."""

    code: str
    letters: int
    open: int
    newest_at: datetime


@dataclass(frozen=True)
class LetterLine:
    """A dead letter in the list, without its bytes."""

    topic: str
    partition: int
    offset: int
    stage: str
    code: str
    message: str
    video_id: str | None
    died_at: datetime
    replayed_at: datetime | None

    def key(self) -> OfLetter:
        """What names it."""
        record = RecordRef(topic=self.topic, partition=self.partition, offset=self.offset)
        return OfLetter(record=record, stage=self.stage)


class DeadLetters:
    """Reads for who may see the platform; raises StoreUnavailable.

    No entry in the audit log: what is shown is text that its sender posted, never media.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self, person: Person) -> list[CodeCount]:
        """By code, the most that could be replayed first."""
        person.require(Capability.SEE_PLATFORM)
        with self._database.connection() as connection, connection.cursor(row_factory=class_row(CodeCount)) as cursor:
            return cursor.execute(_COUNTS).fetchall()

    def page(self, person: Person, *, code: str | None, skip: int, limit: int) -> list[LetterLine]:
        """Newest first."""
        person.require(Capability.SEE_PLATFORM)
        values = {"code": code, "skip": skip, "limit": limit}
        with self._database.connection() as connection, connection.cursor(row_factory=class_row(LetterLine)) as cursor:
            return cursor.execute(_PAGE, values).fetchall()

    def again(
        self, person: Person, keys: Sequence[OfLetter], *, code: str | None, since: datetime
    ) -> tuple[list[LetterLine], int]:
        """The same lines as they are now, in the order of their keys, and how many died since; MOST_NEWER at the most.

        A line that was deleted is missing; where all were, nothing is said of newer ones either.
        """
        person.require(Capability.SEE_PLATFORM)
        records = [key.record for key in keys]
        values = {
            "topics": [record.topic for record in records],
            "partitions": [record.partition for record in records],
            "offsets": [record.offset for record in records],
            "stages": [key.stage for key in keys],
        }
        with self._database.connection() as connection:
            found = connection.execute(_AGAIN, {**values, "code": code, "since": since, "most": MOST_NEWER}).fetchall()
        return [LetterLine(*row[:-1]) for row in found], found[0][-1] if found else 0

    def one(self, person: Person, key: OfLetter) -> DeadLetterRow | None:
        """One of them with headers and bytes."""
        person.require(Capability.SEE_PLATFORM)
        with self._database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(_ONE, {**key.record.model_dump(), "stage": key.stage}).fetchone()
        return read_dead_letter(row) if row else None
