"""How numbers, instants and codes read on every page: one wording each."""

from collections.abc import Iterator
from datetime import datetime, tzinfo

import core.errors_ingest  # noqa: F401 - a code has its meaning once its error is loaded
from core.errors import PlatformError
from core.labels import Modality, VerdictKind

SHAPES = {
    VerdictKind.HARMFUL: "▲",
    VerdictKind.REVIEW: "◆",
    VerdictKind.PARTIAL: "◐",
    VerdictKind.UNSCORED: "○",
    VerdictKind.SAFE: "●",
}
MEANINGS = {
    VerdictKind.HARMFUL: "over a threshold of the policy",
    VerdictKind.REVIEW: "close to one: a person decides",
    VerdictKind.PARTIAL: "no harm found, but a part could not be scored",
    VerdictKind.UNSCORED: "nothing could be scored",
    VerdictKind.SAFE: "everything posted was scored, all of it low",
}
MODALITIES = {Modality.VIDEO: "video", Modality.TEXT: "text", Modality.FUSION: "fusion"}
NOTHING = "\u2013"

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_STEP_S = 5


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in steps that keep a list calm: 5 s under a minute, then minutes, hours, days."""
    age_s = max(0, int((now - at).total_seconds()))
    if age_s < _STEP_S:
        return "just now"
    if age_s < _MINUTE_S:
        return f"{age_s - age_s % _STEP_S} s ago"
    for limit_s, unit_s, unit in ((_HOUR_S, _MINUTE_S, "min"), (_DAY_S, _HOUR_S, "h")):
        if age_s < limit_s:
            return f"{age_s // unit_s} {unit} ago"
    return f"{age_s // _DAY_S} d ago"


def duration(seconds: float) -> str:
    """A length of time with one unit, for a glance: 0.8 s, 25 s, 4 min, 3 h, 2 d."""
    if seconds < 10:  # noqa: PLR2004 - below ten a tenth is worth reading
        return f"{seconds:.1f} s"
    for limit_s, unit_s, unit in ((2 * _MINUTE_S, 1, "s"), (2 * _HOUR_S, _MINUTE_S, "min"), (2 * _DAY_S, _HOUR_S, "h")):
        if seconds < limit_s:
            return f"{int(seconds // unit_s)} {unit}"
    return f"{int(seconds // _DAY_S)} d"


def exact(at: datetime, zone: tzinfo) -> str:
    """The instant in the viewer's zone, to the second."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def time_of_day(at: datetime, zone: tzinfo) -> str:
    """The instant's time in the viewer's zone."""
    return f"{at.astimezone(zone):%H:%M:%S}"


def score(value: float | None) -> str:
    """A probability with two digits."""
    return NOTHING if value is None else f"{value:.2f}"


def count(value: int) -> str:
    """A count with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def plural(number: int, word: str) -> str:
    """`1 alert`, `2 alerts`."""
    return f"{count(number)} {word}" if number == 1 else f"{count(number)} {word}s"


def clock_time(seconds: float) -> str:
    """A place in a video: 0:07."""
    return f"{int(seconds) // _MINUTE_S}:{int(seconds) % _MINUTE_S:02d}"


def code_meaning(code: str) -> str:
    """What an error code means, in the words of the error itself; empty for a code we do not know."""
    return _meanings().get(code, "")


def _meanings() -> dict[str, str]:
    return {error.code: (error.__doc__ or "").strip().splitlines()[0] for error in _tree(PlatformError)}


def _tree(error: type[PlatformError]) -> Iterator[type[PlatformError]]:
    yield error
    for child in error.__subclasses__():
        yield from _tree(child)
