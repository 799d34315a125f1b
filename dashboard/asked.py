"""What people and addresses ask for → what every part behind takes: text, days and instants within bounds. Pure."""

import re
from datetime import UTC, date, datetime

EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
"""Days beyond are no question of anybody's, and near the ends of the calendar no time zone can show them."""
MAX_TEXT_CHARS = 256
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def plain(text: str) -> str:
    """The text as a database takes it: no NUL, no half of a letter, not too long."""
    return _UNSTORABLE.sub("", text).strip()[:MAX_TEXT_CHARS]


def is_storable(text: str) -> bool:
    """Whether a database takes it as it is."""
    return not _UNSTORABLE.search(text)


def day_of(text: str) -> date | None:
    """A day; None for what is none, or lies beyond the bounds."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None


def instant_of(text: str) -> datetime | None:
    """An instant, UTC where it does not say; None for what is none, or lies beyond the bounds."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    # In any zone its day is at most one from this one.
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) if EARLIEST < at.date() < LATEST else None
