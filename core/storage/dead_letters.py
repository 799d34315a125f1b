"""Dead letters that can still be replayed, in the order of their records: what a replay of many works through."""

from collections.abc import Sequence
from datetime import datetime

from psycopg.rows import dict_row

from core.storage.database import Database
from core.storage.history_rows import read_dead_letter
from core.storage.ports import DeadLetterRow

LetterKey = tuple[str, int, int, str]
"""topic, partition, offset, stage."""

MOST = 100_000
"""How many a single replay takes on."""

_OPEN = b"""
SELECT topic, partition, "offset", stage FROM dead_letters
WHERE replayed_at IS NULL AND died_at <= %(before)s AND (%(code)s::text IS NULL OR code = %(code)s)
ORDER BY topic, partition, "offset", stage LIMIT %(limit)s
"""
_ROWS = b"""
SELECT dead_letters.* FROM dead_letters
JOIN unnest(%(topics)s::text[], %(partitions)s::int4[], %(offsets)s::int8[], %(stages)s::text[])
    AS wanted (topic, partition, "offset", stage) USING (topic, partition, "offset", stage)
WHERE replayed_at IS NULL
"""


class OpenLetters:
    """Reads what was not replayed yet. All raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keys(self, *, code: str | None, before: datetime) -> list[LetterKey]:
        """Those of one code, or of all, that died until `before`; MOST at the most."""
        with self._database.connection() as connection:
            found = connection.execute(_OPEN, {"code": code, "before": before, "limit": MOST})
            return [(topic, partition, offset, stage) for topic, partition, offset, stage in found]

    def rows(self, keys: Sequence[LetterKey]) -> list[DeadLetterRow]:
        """Those of the keys that still are not replayed."""
        topics, partitions, offsets, stages = (list(column) for column in zip(*keys, strict=True))
        wanted = {"topics": topics, "partitions": partitions, "offsets": offsets, "stages": stages}
        with self._database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return [read_dead_letter(row) for row in cursor.execute(_ROWS, wanted)]
