"""The durable record in PostgreSQL or TimescaleDB: the writer at the end of the path stores here first."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from core.events import DeadLetter, RecordRef, Verdict
from core.labels import VerdictKind
from core.settings import StoreSettings
from core.storage import history_sql, periods, shadow, trends
from core.storage.database import Database
from core.storage.history_rows import dead_letter_columns, read_dead_letter, verdict_columns
from core.storage.periods import is_timescale
from core.storage.policies import PolicyNote, written
from core.storage.ports import DeadLetterRow, Written
from core.storage.shadow import Disagreement, ShadowScore


class TimescaleHistory:
    """The history on TimescaleDB, or on PostgreSQL without the extension; same tables, same answers.

    Connects at the first call and again by itself. Safe to share between threads.

    Raises:
        ConfigError: the DSN cannot be read.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self._retention_days = settings.retention_days
        self._database = Database(settings, "history")

    def write(self, verdicts: Sequence[Verdict], dead_letters: Sequence[DeadLetter]) -> Written:
        """Store a batch in one transaction; the same batch twice changes nothing.

        Raises:
            StoreUnavailable: nothing was stored.
        """
        if not verdicts and not dead_letters:
            return Written(frozenset(), frozenset())
        with self._database.transaction() as connection:
            if dead_letters:
                connection.execute(history_sql.WRITE_DEAD_LETTERS, dead_letter_columns(dead_letters))
            if not verdicts:
                return Written(frozenset(), frozenset())
            row = connection.execute(history_sql.WRITE_VERDICTS, verdict_columns(verdicts)).fetchone()
        facts, current = row or (None, None)
        return Written(frozenset(facts or ()), frozenset(current or ()))

    def current(self, video_id: str) -> Verdict | None:
        """The video's current verdict."""
        found = self._bodies(history_sql.CURRENT, {"video_id": video_id})
        return found[0] if found else None

    def recent(self, limit: int, *, flagged_only: bool = False) -> list[Verdict]:
        """The newest current verdicts, or the newest of those a moderator should see; newest event_time first."""
        return self._bodies(history_sql.RECENT_FLAGGED if flagged_only else history_sql.RECENT, {"limit": limit})

    def counts(self, since: datetime) -> dict[str, int]:
        """Current verdicts with event_time after `since`, per verdict kind, plus `dead_letters` and `videos`."""
        with self._database.connection() as connection:
            found = dict(connection.execute(history_sql.COUNTS, {"since": since}).fetchall())
        counts = {kind.value: int(found.get(kind.value, 0)) for kind in VerdictKind}
        return {**counts, "videos": sum(counts.values()), "dead_letters": int(found["dead_letters"])}

    def dead_letters(self, limit: int, *, code: str | None = None) -> list[DeadLetterRow]:
        """The newest dead letters, newest first."""
        return self._dead_letters(history_sql.DEAD_LETTERS, {"limit": limit, "code": code})

    def dead_letter(self, record: RecordRef, stage: str) -> DeadLetterRow | None:
        """One dead letter by its key."""
        found = self._dead_letters(history_sql.DEAD_LETTER, {**record.model_dump(), "stage": stage})
        return found[0] if found else None

    def mark_replayed(self, letters: Sequence[tuple[RecordRef, str]], at: datetime) -> None:
        """Note that dead letters, each by its record and stage, were produced again."""
        values = {
            "topics": [record.topic for record, _ in letters],
            "partitions": [record.partition for record, _ in letters],
            "offsets": [record.offset for record, _ in letters],
            "stages": [stage for _, stage in letters],
        }
        with self._database.connection() as connection:
            connection.execute(history_sql.MARK_REPLAYED, {**values, "at": at})

    def write_shadow(self, scores: Sequence[ShadowScore]) -> None:
        """Store what challengers said; what is there already stays as it is.

        Raises:
            StoreUnavailable: nothing was stored.
        """
        if scores:
            with self._database.connection() as connection:
                connection.execute(shadow.WRITE, shadow.columns(scores))

    def disagreement(self, since: datetime) -> list[Disagreement]:
        """How far challengers and champions were apart, by hour, newest first."""
        with self._database.connection() as connection:
            return [shadow.read(row) for row in connection.execute(shadow.DISAGREEMENT, {"since": since})]

    def refresh_aggregates(self, since: datetime) -> None:
        """Recount the aggregates from `since` on; TimescaleDB also does so by itself, but for the tallies of names."""
        with self._database.connection() as connection:
            timescale = is_timescale(connection)
            if timescale:
                connection.execute(history_sql.REFRESH_TIMESCALE, {"since": since})
            else:
                with connection.transaction():
                    for statement in history_sql.REFRESH_PLAIN:
                        connection.execute(statement, {"since": since})
            trends.refresh(connection, since, timescale=timescale)

    def note_policy(self, policy: PolicyNote) -> None:
        """Keep the thresholds of a policy; a version that is known says the same."""
        values = {"version": policy.version, "labels": json.dumps(written(policy))}
        with self._database.connection() as connection:
            connection.execute(history_sql.NOTE_POLICY, values)

    def delete_expired(self, now: datetime) -> None:
        """Delete what is older than people chose, or than the setting; TimescaleDB drops chunks by itself."""
        with self._database.transaction() as connection:
            ends = periods.chosen(connection, default_days=self._retention_days).before(now)
            timescale = is_timescale(connection)
            plain = () if timescale else (history_sql.EXPIRE_PLAIN, shadow.EXPIRE_PLAIN)
            for statement in (*history_sql.EXPIRE, *plain):
                connection.execute(statement, {"before": ends["verdicts"], **ends})
            trends.expire(connection, ends["verdicts"], now=now, timescale=timescale)

    def ping(self) -> None:
        """Raise StoreUnavailable when the database does not answer."""
        with self._database.connection() as connection:
            connection.execute("SELECT 1")

    def close(self) -> None:
        """Let go of the pool."""
        self._database.close()

    def _bodies(self, statement: bytes, arguments: Mapping[str, Any]) -> list[Verdict]:
        with self._database.connection() as connection:
            return [Verdict.model_validate_json(body) for (body,) in connection.execute(statement, arguments)]

    def _dead_letters(self, statement: bytes, arguments: Mapping[str, Any]) -> list[DeadLetterRow]:
        with self._database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return [read_dead_letter(row) for row in cursor.execute(statement, arguments)]
