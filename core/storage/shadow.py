"""What challengers said beside the champions: rows, and the hours they add up to. Beside the path, never on it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol

from psycopg import sql

from core.labels import Modality, VerdictKind


@dataclass(frozen=True)
class ShadowScore:
    """One model's champion and challenger on one post.

    Attributes:
        verdict_id: of the verdict that the champion's scores became.
        champion: and `challenger`: which versions, e.g. `text:3` and `text:4`.
        champion_score: the largest probability of harm each gives.
        champion_verdict: what each model's scores alone would have become under the policy.
    """

    verdict_id: str
    video_id: str
    event_time: datetime
    modality: Modality
    champion: str
    challenger: str
    policy_version: str
    champion_score: float
    challenger_score: float
    champion_verdict: VerdictKind
    challenger_verdict: VerdictKind


@dataclass(frozen=True)
class Disagreement:
    """How far a challenger and a champion were apart in one hour.

    Attributes:
        sampled: posts that both scored.
        disagree: of those, on how many the verdicts differ; `rate` is their share.
        mean_difference: of the scores, absolute.
    """

    hour: datetime
    modality: Modality
    champion: str
    challenger: str
    sampled: int
    disagree: int
    rate: float
    mean_difference: float


class ShadowScores(Protocol):
    """Where shadow scores are kept."""

    def write_shadow(self, scores: Sequence[ShadowScore]) -> None:
        """Store a batch in one statement; what is there already stays as it is.

        Raises:
            StoreUnavailable: nothing was stored.
        """
        ...

    def disagreement(self, since: datetime) -> list[Disagreement]:
        """The hours that begin at `since` or later, newest first, then by versions.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        ...


_TYPES = {"event_time": "timestamptz", "champion_score": "float8", "challenger_score": "float8"}
_NAMES = tuple(field.name for field in fields(ShadowScore))
_COLUMNS = sql.SQL(", ").join(map(sql.Identifier, _NAMES))

WRITE = (
    sql.SQL("INSERT INTO shadow_scores ({columns}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING")
    .format(
        columns=_COLUMNS,
        arrays=sql.SQL(", ").join(
            sql.SQL("{}::{}[]").format(sql.Placeholder(name), sql.SQL(_TYPES.get(name, "text"))) for name in _NAMES
        ),
    )
    .as_bytes()
)
DISAGREEMENT = b"""
SELECT hour, modality, champion, challenger, sampled, disagree, rate, mean_difference
FROM shadow_disagreement WHERE hour >= %(since)s ORDER BY hour DESC, challenger, champion
"""
EXPIRE_PLAIN = b"DELETE FROM shadow_scores WHERE event_time < %(before)s"


def columns(scores: Sequence[ShadowScore]) -> dict[str, list[Any]]:
    """A batch as arrays, in key order: two writers never lock each other out."""
    ordered = sorted(scores, key=attrgetter("verdict_id", "challenger"))
    return {
        name: [str(value) if name not in _TYPES else value for value in map(attrgetter(name), ordered)]
        for name in _NAMES
    }


def read(row: tuple[Any, ...]) -> Disagreement:
    """A row of the view."""
    hour, modality, *rest = row
    return Disagreement(hour.astimezone(UTC), Modality(modality), *rest)


def add_up(scores: Iterable[ShadowScore]) -> list[Disagreement]:
    """The same hours as the view's."""
    hours = [_hour(list(of)) for _, of in groupby(sorted(scores, key=_key), _key)]
    return sorted(hours, key=lambda hour: (-hour.hour.timestamp(), hour.challenger, hour.champion))


def _key(score: ShadowScore) -> tuple[datetime, Modality, str, str]:
    hour = score.event_time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour, score.modality, score.champion, score.challenger


def _hour(scores: Sequence[ShadowScore]) -> Disagreement:
    """What scores of one key come to; there is at least one."""
    hour, modality, champion, challenger = _key(scores[0])
    apart = sum(score.champion_verdict is not score.challenger_verdict for score in scores)
    return Disagreement(
        hour=hour,
        modality=modality,
        champion=champion,
        challenger=challenger,
        sampled=len(scores),
        disagree=apart,
        rate=apart / len(scores),
        mean_difference=sum(abs(score.challenger_score - score.champion_score) for score in scores) / len(scores),
    )
