"""How long what is kept: the periods people chose, else the setting's; read wherever something is deleted."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import psycopg
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors_console import SettingRefused

SHORTEST_DAYS, LONGEST_DAYS = 1, 3_650
NAME = "retention"
HYPERTABLES = (
    "verdicts",
    "shadow_scores",
    "verdicts_per_quarter_hour",
    "verdicts_per_day",
    "alert_waits_per_quarter_hour",
)
_CHOSEN = "SELECT value FROM platform_settings WHERE name = %(name)s"
_IS_TIMESCALE = "SELECT to_regclass('_timescaledb_catalog.hypertable') IS NOT NULL"

Days = Annotated[int, Field(ge=SHORTEST_DAYS, le=LONGEST_DAYS)]


class Kept(StrEnum):
    """What has a period of its own."""

    VERDICTS = "verdicts"
    """Verdicts with captions and evidence, current and past, and what challengers said."""
    SIGHTINGS = "sightings"
    """One row per record that was read."""
    DEAD_LETTERS = "dead_letters"


class Periods(BaseModel):
    """Days, per kind; older rows are deleted within the hour."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdicts: Days
    sightings: Days
    dead_letters: Days

    @classmethod
    def of(cls, days: int) -> "Periods":
        """The same for all."""
        return cls(verdicts=days, sightings=days, dead_letters=days)

    def before(self, now: datetime) -> dict[str, datetime]:
        """The instants before which rows go, by kind."""
        return {kind.value: now - timedelta(days=getattr(self, kind.value)) for kind in Kept}


def chosen(connection: psycopg.Connection, *, default_days: int) -> Periods:
    """The periods people chose, else the setting's for all."""
    row = connection.execute(_CHOSEN, {"name": NAME}).fetchone()
    return Periods.model_validate(row[0]) if row else Periods.of(default_days)


def keep_chunks(connection: psycopg.Connection, days: int) -> None:
    """Tell TimescaleDB how long to keep the chunks of its hypertables."""
    for table in HYPERTABLES:
        connection.execute("SELECT remove_retention_policy(%s, if_exists => true)", (table,))
        connection.execute("SELECT add_retention_policy(%s, make_interval(days => %s))", (table, days))


def is_timescale(connection: psycopg.Connection) -> bool:
    """Whether the database has hypertables, and deletes their chunks by itself."""
    row = connection.execute(_IS_TIMESCALE).fetchone()
    return bool(row and row[0])


def wanted(**days: object) -> Periods:
    """Periods as a person chose them.

    Raises:
        SettingRefused: out of bounds.
    """
    try:
        return Periods.model_validate(days)
    except ValidationError as error:
        raise SettingRefused(
            "days must lie between {least} and {most}", least=SHORTEST_DAYS, most=LONGEST_DAYS
        ) from error
