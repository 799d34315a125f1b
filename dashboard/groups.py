"""Rows → groups: what one author, or one caption, brings within the cooldown is one thing to look at. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.labels import Action
from dashboard.alerts import Alert

COOLDOWN_S = 600.0
ESCALATES_BY = 0.2
"""This much more than the highest score of its group makes a row stand for itself."""
MIN_LETTERS = 12
"""Captions of fewer letters are alike by chance."""
_RANK = {Action.NONE: 0, Action.REVIEW: 1, Action.ALERT: 2}
_LINK = re.compile(r"https?://\S+")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Group:
    """Rows that are shown as one.

    Attributes:
        lead: the first that came, so that a group stays where it is while more of it arrives.
        others: the rest, newest first.
    """

    lead: Alert
    others: tuple[Alert, ...] = ()

    @property
    def rows(self) -> tuple[Alert, ...]:
        """Lead first."""
        return (self.lead, *self.others)

    @property
    def author(self) -> str | None:
        """Whose all of it is; None where a caption holds it together."""
        authors = {row.verdict.author_id for row in self.rows}
        return next(iter(authors)) if len(authors) == 1 else None

    @property
    def span_s(self) -> float:
        """How long it took from the first to the last."""
        return (max(row.verdict.event_time for row in self.rows) - self.lead.verdict.event_time).total_seconds()


@dataclass
class _Open:
    """A group while rows are added, oldest first."""

    rows: list[Alert] = field(default_factory=list)

    def takes(self, row: Alert) -> bool:
        lead = self.rows[0].verdict
        age_s = (row.verdict.event_time - lead.event_time).total_seconds()
        return age_s <= COOLDOWN_S and not self._is_escalated_by(row)

    def _is_escalated_by(self, row: Alert) -> bool:
        if _RANK[row.verdict.action] > max(_RANK[known.verdict.action] for known in self.rows):
            return True
        highest = max((known.verdict.score or 0.0 for known in self.rows), default=0.0)
        return (row.verdict.score or 0.0) >= highest + ESCALATES_BY


def grouped(rows: Iterable[Alert]) -> list[Group]:
    """Groups, the one that began last first; a row that is worse than its group begins one of its own."""
    groups: list[_Open] = []
    open_now: dict[tuple[str, ...], _Open] = {}
    for row in sorted(rows, key=lambda row: (row.verdict.event_time, row.verdict.verdict_id)):
        names = _names(row)
        found = next((open_now[name] for name in names if name in open_now and open_now[name].takes(row)), None)
        if found is None:
            found = _Open()
            groups.append(found)
        found.rows.append(row)
        open_now.update(dict.fromkeys(names, found))
    return [Group(group.rows[0], tuple(reversed(group.rows[1:]))) for group in reversed(groups)]


def leads(groups: Iterable[Group]) -> list[Alert]:
    """What is there to look at, one row a group."""
    return [group.lead for group in groups]


def caption_key(caption: str | None) -> str:
    """What captions that say the same have in common: their words, whatever links, digits and marks stand between.

    Empty for captions too short to tell.

    >>> caption_key("Buy NOW at https://a.example!!! 50% off today") == caption_key("buy now, at 70 off... today")
    True
    """
    plain = _LINK.sub(" ", unicodedata.normalize("NFKC", caption or "").casefold())
    words = _WORD.findall(plain)
    return " ".join(words) if sum(map(len, words)) >= MIN_LETTERS else ""


def _names(row: Alert) -> list[tuple[str, ...]]:
    verdict, caption = row.verdict, caption_key(row.verdict.caption)
    author = [("author", verdict.platform, verdict.author_id)] if verdict.author_id else []
    return [*author, *([("caption", caption)] if caption else [])]
