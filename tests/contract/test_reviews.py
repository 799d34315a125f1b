"""Decisions, in memory and in the database: one row each, undone but never changed, audited, for who may."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from core.access import Person, Role
from core.clock import SystemClock
from core.errors_console import Forbidden, ReviewRefused, VerdictStale
from core.events import Verdict
from core.settings import StoreSettings
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from core.storage.memory import MemoryHistory, MemoryMedia
from core.storage.ports import VerdictHistory
from core.storage.reviews import Answer, DecisionForm, DecisionStore, Outcome, Reason, Reviews, Tally
from tests.fixtures.desk import MemoryDesk
from tests.fixtures.stores import empty_tables, make_alert, make_verdict

AN = Person("an", "An", Role.MODERATOR)
BO = Person("bo", "Bo", Role.MODERATOR)
LEAD = Person("le", "Lê", Role.LEAD)
VIEWER = Person("vi", "Vi", Role.VIEWER)


@dataclass
class Desk:
    """Decisions over a history that knows these verdicts; `dsn` where there is a database."""

    reviews: DecisionStore
    history: VerdictHistory
    dsn: str | None = None

    def alert(self, video_id: str = "v:1", *, minute: float = 0, **changes: object) -> Verdict:
        verdict = make_alert(video_id, minute=minute, offset=int(minute), **changes)
        self.history.write([verdict], [])
        return verdict


def form(verdict: Verdict, name: str = "t", **labels: Answer) -> DecisionForm:
    return DecisionForm(
        verdict.video_id, verdict.verdict_id, labels or {"violence": Answer.CONFIRM}, Reason.CLEAR, name
    )


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """Nothing decided yet."""
    if request.param == "memory":
        history = MemoryHistory()
        yield Desk(MemoryDesk(history, MemoryMedia(), SystemClock()), history)
        return
    dsn: str = request.getfixturevalue("postgres_dsn")
    empty_tables(dsn)
    settings = StoreSettings(dsn=SecretStr(dsn))
    database, stored = Database(settings, "desk"), TimescaleHistory(settings)
    yield Desk(Reviews(database), stored, dsn)
    database.close()
    stored.close()


def test_a_decision_is_read_as_it_was_made(desk: Desk) -> None:
    verdict = desk.alert()
    sent = replace(form(verdict, violence=Answer.CONFIRM, hate=Answer.REJECT), note="said in anger", played=True)

    made = desk.reviews.decide(AN, sent)

    assert (made.outcome, dict(made.answers), made.reason) == (Outcome.CONFIRM, dict(sent.labels), Reason.CLEAR)
    assert (made.reviewer, made.note, made.played, made.undone_at) == ("an", "said in anger", True, None)
    assert made.event_time == verdict.event_time
    assert desk.reviews.of_video(VIEWER, "v:1") == [made]
    assert desk.reviews.standing(VIEWER, ["v:1", "v:2"]) == {"v:1": made}


def test_the_same_form_again_is_the_same_decision_also_after_a_newer_verdict(desk: Desk) -> None:
    verdict = desk.alert()
    made = desk.reviews.decide(AN, form(verdict))
    desk.alert(minute=1)

    assert desk.reviews.decide(AN, form(verdict)) == made
    assert len(desk.reviews.of_video(AN, "v:1")) == 1


def test_two_forms_and_two_people_are_each_heard_and_the_last_word_stands(desk: Desk) -> None:
    verdict = desk.alert()
    desk.reviews.decide(AN, form(verdict))
    desk.reviews.decide(AN, form(verdict, "u", violence=Answer.REJECT))
    last = desk.reviews.decide(BO, form(verdict, "t", hate=Answer.REJECT))

    assert [made.outcome for made in desk.reviews.of_video(AN, "v:1")] == ["partly", "reject", "confirm"]
    assert desk.reviews.standing(AN, ["v:1"])["v:1"] == last


def test_a_verdict_that_is_no_longer_current_is_refused(desk: Desk) -> None:
    old = desk.alert()
    desk.alert(minute=1)

    with pytest.raises(VerdictStale):
        desk.reviews.decide(AN, form(old))
    assert desk.reviews.of_video(AN, "v:1") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"labels": {"nonsense": Answer.CONFIRM}},
        {"labels": {}},
        {"video_id": "v:9"},
        {"note": "n" * 1001},
        {"note": "\0"},
    ],
)
def test_what_cannot_stand_is_refused(desk: Desk, wrong: dict[str, object]) -> None:
    sent = replace(form(desk.alert()), **wrong)

    with pytest.raises(ReviewRefused):
        desk.reviews.decide(AN, sent)
    assert desk.reviews.tally(AN, sent_since(desk)) == Tally()


def sent_since(desk: Desk) -> datetime:
    return SystemClock().now() - timedelta(hours=1)


def test_who_may_not_decide_changes_nothing(desk: Desk) -> None:
    verdict = desk.alert()
    made = desk.reviews.decide(AN, form(verdict))

    for role in (Role.VIEWER, Role.ENGINEER):
        stranger = Person("x", "X", role)
        with pytest.raises(Forbidden):
            desk.reviews.decide(stranger, form(verdict, "x"))
        with pytest.raises(Forbidden):
            desk.reviews.undo(stranger, made.decision_id)


def test_an_undone_decision_stands_no_longer_and_stays(desk: Desk) -> None:
    made = desk.reviews.decide(AN, form(desk.alert()))

    undone = desk.reviews.undo(AN, made.decision_id)

    assert undone.undone_at is not None
    assert desk.reviews.undo(AN, made.decision_id) == undone
    assert desk.reviews.standing(AN, ["v:1"]) == {}
    assert desk.reviews.of_video(AN, "v:1") == [undone]


def test_another_persons_decision_is_undone_by_a_lead_alone(desk: Desk) -> None:
    made = desk.reviews.decide(AN, form(desk.alert()))

    with pytest.raises(ReviewRefused):
        desk.reviews.undo(BO, made.decision_id)
    with pytest.raises(ReviewRefused):
        desk.reviews.undo(AN, "no such decision")
    assert desk.reviews.undo(LEAD, made.decision_id).undone_at is not None


def test_decided_without_playing_is_counted_where_there_was_something_to_play(desk: Desk) -> None:
    for name, played in (("v:1", True), ("v:2", False), ("v:3", False)):
        desk.reviews.decide(AN, replace(form(desk.alert(name)), played=played))
    desk.reviews.decide(AN, form(desk.alert("text", media_uri=None)))
    desk.reviews.undo(AN, desk.reviews.decide(AN, form(desk.alert("v:4"))).decision_id)

    assert desk.reviews.tally(AN, sent_since(desk)) == Tally(decided=4, without_playing=2)


def test_a_video_without_scores_can_be_called_harmful(desk: Desk) -> None:
    verdict = make_verdict("bare", label_scores={}, label=None, score=None, verdict="unscored", mode="none")
    desk.history.write([verdict], [])

    assert desk.reviews.decide(AN, form(verdict, harmful=Answer.REJECT)).outcome is Outcome.REJECT
