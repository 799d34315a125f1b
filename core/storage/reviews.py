"""What people decide about verdicts: one row each, undone but never changed; what retraining learns from."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from core.access import Capability, Person
from core.errors_console import ReviewRefused, VerdictStale
from core.labels import HARMFUL_LABEL
from core.storage.audit_log import Act, note
from core.storage.database import Database

MAX_NOTE_CHARS = 1000
_UNSTORABLE = {0, *range(0xD800, 0xE000)}

_COLUMNS = """
decision_id, video_id, verdict_id, event_time, reviewer, coalesce(name, reviewer) AS reviewer_name,
decision AS outcome, answers, reason, coalesce(note, '') AS note, played, decided_at, undone_at
FROM review_decisions LEFT JOIN people ON user_id = reviewer
"""
_BY_ID = f"SELECT {_COLUMNS} WHERE decision_id = %(decision_id)s"
_OF_VIDEO = f"SELECT {_COLUMNS} WHERE video_id = %(video_id)s ORDER BY decided_at DESC, decision_id"
_STANDING = f"""
SELECT DISTINCT ON (video_id) {_COLUMNS}
WHERE video_id = ANY(%(video_ids)s) AND undone_at IS NULL ORDER BY video_id, decided_at DESC, decision_id
"""
# Held until the decision is written: a newer verdict comes before it, and refuses it, or after.
_CURRENT = """
SELECT verdict_id, event_time, label, body->'label_scores', body->>'media_uri' IS NOT NULL
FROM videos WHERE video_id = %(video_id)s FOR SHARE
"""
_INSERT = """
INSERT INTO review_decisions (decision_id, video_id, verdict_id, event_time, reviewer, decision, labels, answers,
                              reason, note, played, decided_at)
VALUES (%(decision_id)s, %(video_id)s, %(verdict_id)s, %(event_time)s, %(reviewer)s, %(outcome)s, %(labels)s,
        %(answers)s, %(reason)s, %(note)s, %(played)s, clock_timestamp())
ON CONFLICT (decision_id) DO NOTHING
"""
_UNDO = """
UPDATE review_decisions SET undone_at = clock_timestamp() WHERE decision_id = %(decision_id)s AND undone_at IS NULL
"""
_TALLY = """
SELECT count(*), count(*) FILTER (WHERE NOT played) FROM review_decisions
WHERE reviewer = %(reviewer)s AND decided_at >= %(since)s AND undone_at IS NULL
"""


class Answer(StrEnum):
    """What a person says of one label of a verdict."""

    CONFIRM = "confirm"
    REJECT = "reject"


class Reason(StrEnum):
    """Why, in one of few words; a note may say more."""

    CLEAR = "clear"
    CONTEXT = "context"
    MISREAD = "misread"
    BORDERLINE = "borderline"
    OTHER = "other"


class Outcome(StrEnum):
    """What the answers make of the verdict as a whole; retraining learns from the first two."""

    CONFIRM = "confirm"
    REJECT = "reject"
    PARTLY = "partly"


@dataclass(frozen=True)
class DecisionForm:
    """What a person sends.

    Attributes:
        verdict_id: the verdict they looked at.
        labels: what they say of each label they say anything of.
        played: whether they played the video before.
        token: made with the form: the same form sent twice is one decision.
    """

    video_id: str
    verdict_id: str
    labels: Mapping[str, Answer]
    reason: Reason
    token: str
    note: str = ""
    played: bool = False


@dataclass(frozen=True)
class Decision:
    """One row.

    Attributes:
        reviewer: the user_id; `reviewer_name` is the name today.
        played: None where there was nothing to play.
        undone_at: None while it stands.
    """

    decision_id: str
    video_id: str
    verdict_id: str
    event_time: datetime
    reviewer: str
    reviewer_name: str
    outcome: Outcome
    answers: Mapping[str, Answer]
    reason: Reason | None
    note: str
    played: bool | None
    decided_at: datetime
    undone_at: datetime | None = None


@dataclass(frozen=True)
class Tally:
    """How many decisions of one person stand, and how many of those videos they had not played."""

    decided: int = 0
    without_playing: int = 0


class DecisionStore(Protocol):
    """Decisions for the people who make them. All raise Forbidden without the right, and StoreUnavailable."""

    def decide(self, person: Person, form: DecisionForm) -> Decision:
        """Write one row; the same form again writes nothing and gives the row that is there.

        Raises:
            VerdictStale: the video has another verdict by now.
            ReviewRefused: no such video, a label the verdict does not have, no label, or a note that is too long.
        """

    def undo(self, person: Person, decision_id: str) -> Decision:
        """Mark a decision as undone; once undone, it stays as it is.

        Raises:
            ReviewRefused: there is none, or it is another person's and this one does not lead.
        """

    def of_video(self, person: Person, video_id: str) -> list[Decision]:
        """Every decision on a video, newest first, undone ones among them."""

    def standing(self, person: Person, video_ids: Iterable[str]) -> dict[str, Decision]:
        """The last decision that stands, of each of these videos that has one."""

    def tally(self, person: Person, since: datetime) -> Tally:
        """What this person decided since then."""


class Reviews:
    """Decisions in the database; see DecisionStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decide(self, person: Person, form: DecisionForm) -> Decision:
        """Write one row, or find it written."""
        person.require(Capability.DECIDE)
        check(form)
        named = {"decision_id": decision_id(person, form)}
        with self._database.transaction() as connection:
            found = _find(connection, named)
            if found is None:
                self._insert(connection, person, form, named=named)
                found = _find(connection, named)
        if found is None:
            raise ReviewRefused("the decision was erased while it was written; look again")
        return found

    def undo(self, person: Person, decision_id: str) -> Decision:
        """Mark a decision as undone."""
        person.require(Capability.DECIDE)
        named = {"decision_id": decision_id}
        with self._database.transaction() as connection:
            found = may_undo(person, _find(connection, named))
            if connection.execute(_UNDO, named).rowcount:
                note(connection, person, Act.UNDID, found.video_id, decision_id=decision_id)
            return _find(connection, named) or found

    def of_video(self, person: Person, video_id: str) -> list[Decision]:
        """Every decision on a video, newest first."""
        person.require(Capability.SEE_VERDICTS)
        return self._read(_OF_VIDEO, {"video_id": video_id})

    def standing(self, person: Person, video_ids: Iterable[str]) -> dict[str, Decision]:
        """The last standing decision of each video that has one."""
        person.require(Capability.SEE_VERDICTS)
        rows = self._read(_STANDING, {"video_ids": list(video_ids)})
        return {row.video_id: row for row in rows}

    def tally(self, person: Person, since: datetime) -> Tally:
        """What this person decided since then."""
        person.require(Capability.SEE_VERDICTS)
        with self._database.connection() as connection:
            row = connection.execute(_TALLY, {"reviewer": person.user_id, "since": since}).fetchone()
        return Tally(*row) if row else Tally()

    def _insert(
        self, connection: psycopg.Connection, person: Person, form: DecisionForm, *, named: Mapping[str, str]
    ) -> None:
        row = connection.execute(_CURRENT, {"video_id": form.video_id}).fetchone()
        if row is None:
            raise ReviewRefused("there is no verdict on {video_id}; it may have been erased", video_id=form.video_id)
        verdict_id, event_time, label, scores, has_media = row
        check_against(form, verdict_id=verdict_id, labels={*(scores or {}), label, HARMFUL_LABEL})
        values = {
            **named,
            "video_id": form.video_id,
            "verdict_id": verdict_id,
            "event_time": event_time,
            "reviewer": person.user_id,
            "outcome": outcome(form.labels, headline=label),
            "labels": Jsonb(sorted(name for name, said in form.labels.items() if said is Answer.CONFIRM)),
            "answers": Jsonb(dict(form.labels)),
            "reason": form.reason,
            "note": form.note or None,
            "played": form.played if has_media else None,
        }
        if connection.execute(_INSERT, values).rowcount:
            detail = {"decision_id": named["decision_id"], "answers": dict(form.labels), "reason": form.reason}
            note(connection, person, Act.DECIDED, form.video_id, **detail)

    def _read(self, statement: str, values: Mapping[str, object]) -> list[Decision]:
        with self._database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return [_decision(row) for row in cursor.execute(statement, values)]


def decision_id(person: Person, form: DecisionForm) -> str:
    """The same form sent by the same person is the same decision, however often it arrives."""
    parts = (person.user_id, form.video_id, form.verdict_id, form.token)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def outcome(labels: Mapping[str, Answer], *, headline: str | None) -> Outcome:
    """Harmful as soon as one label is; safe if that was said of the label the verdict was raised for, or of harm."""
    if Answer.CONFIRM in labels.values():
        return Outcome.CONFIRM
    return Outcome.REJECT if {headline or HARMFUL_LABEL, HARMFUL_LABEL} & labels.keys() else Outcome.PARTLY


def check(form: DecisionForm) -> None:
    """Refuse a form that no verdict could make right; raises ReviewRefused."""
    if not form.labels:
        raise ReviewRefused("no label was confirmed or rejected; choose at least one")
    if len(form.note) > MAX_NOTE_CHARS:
        raise ReviewRefused("the note has {n} characters; shorten it to {most}", n=len(form.note), most=MAX_NOTE_CHARS)
    if not _UNSTORABLE.isdisjoint(map(ord, form.note)):
        raise ReviewRefused("the note holds characters that no store keeps; type it anew")


def check_against(form: DecisionForm, *, verdict_id: str, labels: Iterable[str | None]) -> None:
    """Refuse a form that is not about this verdict; raises ReviewRefused or VerdictStale."""
    if form.verdict_id != verdict_id:
        raise VerdictStale("the video was scored again since you opened it; look at the new verdict, then decide")
    unknown = sorted(form.labels.keys() - {name for name in labels if name})
    if unknown:
        raise ReviewRefused("the verdict has no label {labels}; choose one it has", labels=", ".join(unknown))


def may_undo(person: Person, found: Decision | None) -> Decision:
    """The decision, if this person may undo it; raises ReviewRefused."""
    if found is None:
        raise ReviewRefused("there is no such decision; it may have been erased")
    if found.reviewer != person.user_id and not may_undo_others(person):
        raise ReviewRefused("this is another person's decision; ask them, or a lead")
    return found


def may_undo_others(person: Person) -> bool:
    """Whether this person leads, and so may undo what others decided."""
    return person.may(Capability.DECIDE) and person.may(Capability.SET_POLICY)


def _find(connection: psycopg.Connection, named: Mapping[str, object]) -> Decision | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_BY_ID, named).fetchone()
    return _decision(row) if row else None


def _decision(row: Mapping[str, Any]) -> Decision:
    answers = {label: Answer(said) for label, said in row["answers"].items()}
    return Decision(
        **{
            **row,
            "outcome": Outcome(row["outcome"]) if row["outcome"] in set(Outcome) else Outcome.PARTLY,
            "answers": answers,
            "reason": Reason(row["reason"]) if row["reason"] in set(Reason) else None,
        }
    )
