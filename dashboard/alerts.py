"""Verdicts → the rows of the list: grouped by video, filtered, and what came since the list was held. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.events import Verdict
from core.labels import HARMFUL_LABEL, Action, Modality


class Lane(StrEnum):
    """Which verdicts the list shows."""

    ALERTS = "alerts"
    REVIEW = "review"
    ALL = "all"


@dataclass(frozen=True)
class Alert:
    """One row: a video's newest verdict, and how many of its verdicts are in the view."""

    verdict: Verdict
    count: int = 1

    @property
    def video_id(self) -> str:
        """What tells rows apart."""
        return self.verdict.video_id


@dataclass(frozen=True)
class Filters:
    """What the person narrowed the list to; None leaves a field open.

    Attributes:
        without: verdicts that are not shown, by verdict_id.
    """

    lane: Lane = Lane.ALERTS
    label: str | None = None
    language: str | None = None
    source: str | None = None
    without: frozenset[str] = frozenset()


def by_video(verdicts: Iterable[Verdict]) -> list[Alert]:
    """One row per video, the newest first."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(verdict.video_id, []).append(verdict)
    rows = [Alert(max(group, key=_newest), len(group)) for group in groups.values()]
    return sorted(rows, key=lambda row: _newest(row.verdict), reverse=True)


def matching(rows: Iterable[Alert], filters: Filters) -> list[Alert]:
    """The rows that pass the filters, in their order."""
    return [row for row in rows if _in_lane(row.verdict, filters.lane) and _passes(row.verdict, filters)]


def choices(rows: Sequence[Alert], field: str) -> list[str]:
    """The values a filter offers, in alphabetical order."""
    return sorted({value for row in rows if (value := getattr(row.verdict, field)) is not None})


def news(shown: Iterable[Alert], fresh: Iterable[Alert]) -> int:
    """How many rows a held list does not show yet."""
    known = {row.verdict.verdict_id for row in shown}
    return sum(row.verdict.verdict_id not in known for row in fresh)


def neighbour(rows: Sequence[Alert], video_id: str, step: int) -> str | None:
    """The video `step` rows further down; None past either end, the first where the video is not in the list."""
    ids = [row.video_id for row in rows]
    at = ids.index(video_id) + step if video_id in ids else 0
    return ids[at] if 0 <= at < len(ids) else None


def headline_score(verdict: Verdict, modality: Modality) -> float | None:
    """What one modality says about the verdict's label, or of harm at all; None when it is missing."""
    result = verdict.modalities.get(modality)
    if result is None or not result.scores:
        return None
    scores = result.scores
    return scores.get(verdict.label or HARMFUL_LABEL, scores.get(HARMFUL_LABEL, max(scores.values())))


def _newest(verdict: Verdict) -> tuple[float, str]:
    return verdict.event_time.timestamp(), verdict.verdict_id


def _in_lane(verdict: Verdict, lane: Lane) -> bool:
    wanted = {Lane.ALERTS: Action.ALERT, Lane.REVIEW: Action.REVIEW}.get(lane)
    return wanted is None or verdict.action is wanted


def _passes(verdict: Verdict, filters: Filters) -> bool:
    wanted = ((filters.label, verdict.label), (filters.language, verdict.language), (filters.source, verdict.source))
    return verdict.verdict_id not in filters.without and all(value in (None, actual) for value, actual in wanted)
