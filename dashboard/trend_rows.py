"""What analytics is told: one frozen type per block. Pure."""

from dataclasses import dataclass
from datetime import datetime

from core.labels import VerdictKind
from core.storage.policies import PolicyNote


@dataclass(frozen=True)
class Totals:
    """A period's sums; a label filter narrows `harmful`, `review` and the scores, never `videos`."""

    videos: int = 0
    harmful: int = 0
    review: int = 0
    scored: int = 0
    score_sum: float = 0.0
    dead_letters: int = 0


@dataclass(frozen=True)
class Point:
    """How many verdicts of one kind and label one step holds."""

    at: datetime
    verdict: VerdictKind
    label: str | None
    videos: int


@dataclass(frozen=True)
class Bin:
    """A twentieth of the score's scale, from `place` / 20 on, with how many verdicts of one kind lie in it."""

    place: int
    verdict: VerdictKind
    videos: int


@dataclass(frozen=True)
class Histogram:
    """Scores, and the policy that was in force at the end of the period; None when none was noted."""

    bins: tuple[Bin, ...]
    policy: PolicyNote | None
    policies: int


@dataclass(frozen=True)
class Pair:
    """What text and video say about one video."""

    text: float
    video: float
    verdict: VerdictKind


@dataclass(frozen=True)
class Tally:
    """A name with its videos."""

    name: str
    videos: int
    harmful: int


@dataclass(frozen=True)
class Wait:
    """How many alerts of one step waited about so long."""

    at: datetime
    seconds: float
    alerts: int


@dataclass(frozen=True)
class ModelRow:
    """What one model version said.

    Attributes:
        waits: how long its alerts waited, as pairs of seconds and alerts.
    """

    version: str
    videos: int
    harmful: int
    scored: int
    score_sum: float
    last_at: datetime
    waits: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True)
class Challenge:
    """Champion and challenger on the same sampled posts."""

    champion: str
    challenger: str
    sampled: int
    disagree: int
    mean_difference: float


@dataclass(frozen=True)
class Values:
    """What the filters offer."""

    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
