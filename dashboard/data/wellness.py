"""How hard it is to look: how media is shown, by default and to single people, and how much of it each saw today."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.access import Capability, Person
from core.errors_console import SettingRefused
from core.storage.audit_log import Act, note
from core.storage.database import Database

EVERYBODY = ""
MAX_STEP_S = 60.0
"""What one report may add at the most: reports come every few seconds."""

_SETTINGS = "SELECT user_id, settings FROM wellness WHERE user_id = ANY(%(user_ids)s)"
_PUT = """
INSERT INTO wellness (user_id, settings) VALUES (%(user_id)s, %(settings)s)
ON CONFLICT (user_id) DO UPDATE SET settings = EXCLUDED.settings, changed_at = now()
"""
_LABELS = "SELECT labels FROM policies ORDER BY noted_at DESC, policy_version LIMIT 1"
_EXPOSURE = "SELECT seconds, weighted_s FROM exposure WHERE user_id = %(user_id)s AND day = %(day)s"
# No report adds more than passed since the one before: two windows, or a browser that lies, cannot outrun the clock.
_ADD = """
INSERT INTO exposure AS known VALUES
    (%(user_id)s, %(day)s, %(seconds)s, %(seconds)s * %(weight)s, clock_timestamp())
ON CONFLICT (user_id, day) DO UPDATE SET
    seconds = known.seconds + least(%(seconds)s, extract(epoch FROM clock_timestamp() - known.reported_at)),
    weighted_s = known.weighted_s
        + %(weight)s * least(%(seconds)s, extract(epoch FROM clock_timestamp() - known.reported_at)),
    reported_at = clock_timestamp()
RETURNING seconds, weighted_s
"""


class Blur(StrEnum):
    """How much a blurred video or still gives away, from most to least."""

    LIGHT = "light"
    MEDIUM = "medium"
    STRONG = "strong"


@dataclass(frozen=True)
class Veil:
    """How a still is made: how little it gives away, and whether without colour."""

    blur: Blur
    greyscale: bool = False


class Speed(StrEnum):
    """How fast a video begins to play, as a multiple of its own speed."""

    NORMAL = "1"
    FASTER = "1.5"
    DOUBLE = "2"


class Wellness(BaseModel):
    """How media is shown to one person.

    Attributes:
        greyscale: whether stills and video are shown without colour, unblurred as well.
        stills: whether blurred stills stand in the list and before the video.
        warn: the labels a person is warned of before a video that has one of them is opened.
        limit_min: minutes of unblurred video a day, weighed, after which a break is suggested; 0 never suggests one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    blur: Blur = Blur.STRONG
    greyscale: bool = False
    speed: Speed = Speed.NORMAL
    muted: bool = True
    autoplay: bool = False
    stills: bool = True
    warn: tuple[str, ...] = ("violence",)
    limit_min: int = Field(default=30, ge=0, le=24 * 60)

    @property
    def veil(self) -> Veil | None:
        """How stills are shown; None: none are."""
        return Veil(self.blur, self.greyscale) if self.stills else None


OWN = ("blur", "greyscale", "speed", "muted", "autoplay", "stills", "warn")
"""What a person sets for themselves: the speed as they like, the rest stricter; the limit is everybody's."""


@dataclass(frozen=True)
class Exposure:
    """Unblurred video seen today, in seconds: as it passed, and weighed by how bad it was."""

    seconds: float = 0.0
    weighted_s: float = 0.0


class WellnessStore(Protocol):
    """Wellness settings and exposure, for people. All raise StoreUnavailable."""

    def default(self, person: Person) -> Wellness:
        """What holds for everybody; raises Forbidden without the right to see verdicts."""

    def of(self, person: Person) -> Wellness:
        """What holds for this person: of the default and their own wish, in each field the stricter; their speed."""

    def set_default(self, person: Person, wellness: Wellness) -> None:
        """Change what holds for everybody; raises Forbidden without the right to set policy."""

    def labels(self, person: Person) -> list[str]:
        """What videos can be warned of: the labels of the policy that was noted last; none before the first."""

    def set_own(self, person: Person, changes: Mapping[str, Any]) -> None:
        """Replace what this person changed for themselves, fields of OWN; none of them: back to the default.

        What is looser than the default is kept, and holds only once the default allows it.

        Raises:
            SettingRefused: no such field, or no such value.
        """

    def add_exposure(self, person: Person, seconds: float, *, weight: float, day: date) -> Exposure:
        """Add unblurred seconds to this person's day, at most as many as passed since the last report.

        Args:
            person: who saw them.
            seconds: as they passed.
            weight: how bad it was, from 0 to 1.
            day: where the person is.
        """

    def exposure(self, person: Person, day: date) -> Exposure:
        """What this person saw on that day of theirs."""


class StoredWellness:
    """Wellness in the database; see WellnessStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def default(self, person: Person) -> Wellness:
        """What holds for everybody."""
        return combined(self._rows(person, EVERYBODY))

    def of(self, person: Person) -> Wellness:
        """What holds for this person."""
        return combined(self._rows(person, EVERYBODY, person.user_id), person.user_id)

    def set_default(self, person: Person, wellness: Wellness) -> None:
        """Change what holds for everybody."""
        person.require(Capability.SET_POLICY)
        self._put(person, EVERYBODY, wellness.model_dump(mode="json"))

    def labels(self, person: Person) -> list[str]:
        """What videos can be warned of."""
        person.require(Capability.SEE_VERDICTS)
        with self._database.connection() as connection:
            row = connection.execute(_LABELS).fetchone()
        return sorted(row[0]) if row else []

    def set_own(self, person: Person, changes: Mapping[str, Any]) -> None:
        """Replace what this person changed for themselves."""
        person.require(Capability.SEE_VERDICTS)
        self._put(person, person.user_id, checked(changes))

    def add_exposure(self, person: Person, seconds: float, *, weight: float, day: date) -> Exposure:
        """Add unblurred seconds to this person's day."""
        person.require(Capability.SEE_MEDIA)
        values = {"user_id": person.user_id, "day": day, "seconds": step_s(seconds), "weight": min(max(weight, 0), 1)}
        with self._database.connection() as connection:
            row = connection.execute(_ADD, values).fetchone()
        return Exposure(*row) if row else Exposure()

    def exposure(self, person: Person, day: date) -> Exposure:
        """What this person saw on that day."""
        person.require(Capability.SEE_VERDICTS)
        with self._database.connection() as connection:
            row = connection.execute(_EXPOSURE, {"user_id": person.user_id, "day": day}).fetchone()
        return Exposure(*row) if row else Exposure()

    def _rows(self, person: Person, *user_ids: str) -> dict[str, Any]:
        person.require(Capability.SEE_VERDICTS)
        with self._database.connection() as connection:
            return dict(connection.execute(_SETTINGS, {"user_ids": list(user_ids)}).fetchall())

    def _put(self, person: Person, user_id: str, settings: Mapping[str, Any]) -> None:
        with self._database.transaction() as connection:
            connection.execute(_PUT, {"user_id": user_id, "settings": Jsonb(settings)})
            note(connection, person, Act.CHANGED_SETTING, "wellness", of=user_id or "everybody", settings=settings)


def combined(rows: Mapping[str, Mapping[str, Any]], user_id: str = EVERYBODY) -> Wellness:
    """The default, made stricter by what one person changed; never looser, whatever is kept."""
    default = Wellness.model_validate(rows.get(EVERYBODY, {}))
    own = {name: value for name, value in rows.get(user_id, {}).items() if name in OWN}
    return stricter(default, Wellness.model_validate({**default.model_dump(), **own}))


def stricter(default: Wellness, own: Wellness) -> Wellness:
    """Of two, in each field what shows less; the limit is the default's, the speed one's own. Pure.

    >>> stricter(Wellness(blur=Blur.MEDIUM), Wellness(blur=Blur.LIGHT, muted=False, warn=("hate",))).warn
    ('hate', 'violence')
    """
    return Wellness(
        blur=strongest(default.blur, own.blur),
        greyscale=default.greyscale or own.greyscale,
        speed=own.speed,
        muted=default.muted or own.muted,
        autoplay=default.autoplay and own.autoplay,
        stills=default.stills and own.stills,
        warn=tuple(sorted({*default.warn, *own.warn})),
        limit_min=default.limit_min,
    )


def strongest(*blurs: Blur) -> Blur:
    """The one that gives away least."""
    return max(blurs, key=list(Blur).index)


def checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """A person's own changes, as they are kept; raises SettingRefused."""
    unknown = sorted(changes.keys() - set(OWN))
    if unknown:
        raise SettingRefused(
            "{unknown} is nothing a person sets alone; that is one of {own}",
            unknown=", ".join(unknown),
            own=", ".join(OWN),
        )
    try:
        whole = Wellness.model_validate(changes)
    except ValidationError as error:
        raise SettingRefused("the choice cannot be kept: {reason}", reason=error.errors()[0]["msg"]) from error
    return whole.model_dump(mode="json", include=set(changes))


def step_s(seconds: float) -> float:
    """What one report may add."""
    return min(max(seconds, 0.0), MAX_STEP_S)
