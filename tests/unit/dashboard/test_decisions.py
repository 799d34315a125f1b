"""Decisions from the pane: what is chosen is written once, and seen."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.access import Person, Role
from core.errors import StoreUnavailable
from core.events import Verdict
from core.labels import Action
from core.storage.reviews import Answer, Decision, DecisionForm, Outcome, Reason
from tests.fixtures.console import Console, browser_says, names, play, shown
from tests.fixtures.stores import make_alert, make_verdict

BO = Person("bo", "Bo <i>", Role.MODERATOR)


def sent(console: Console) -> list[Decision]:
    return list(console.desk.made.values())


def pick(page: AppTest, *keys: str) -> AppTest:
    for key in keys:
        page.button(key=key).click().run()
    return page


def test_labels_are_confirmed_and_rejected_with_a_reason_and_a_note(console: Console) -> None:
    console.publish(make_alert("v:1"))
    page = console.open(video="v:1")

    pick(page, "confirm-0", "reject-1")
    page.selectbox[-1].select(Reason.CONTEXT)
    page.text_input[-1].input(" said in anger ")
    pick(page, "decide-save")

    (made,) = sent(console)
    assert dict(made.answers) == {"violence": Answer.CONFIRM, "hate": Answer.REJECT}
    assert (made.outcome, made.reason, made.note) == (Outcome.CONFIRM, Reason.CONTEXT, "said in anger")
    assert f"confirmed by {made.reviewer_name}, just now" in shown(page)
    assert shown(console.redraw(page)).count(f"confirmed by {made.reviewer_name}") == 2


def test_what_was_saved_cannot_be_saved_again(console: Console) -> None:
    console.publish(make_alert("v:1"))

    page = pick(console.open(video="v:1"), "confirm-0", "decide-save")

    assert page.button(key="decide-save").disabled
    assert len(sent(console)) == 1


def test_an_answer_is_taken_back_by_pressing_it_again(console: Console) -> None:
    console.publish(make_alert("v:1"))

    page = pick(console.open(video="v:1"), "reject-0", "reject-0")

    assert page.button(key="decide-save").disabled


def test_whether_the_video_was_played_is_told(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    console.publish(make_alert("v:1"), make_alert("v:2", offset=1, minute=1), make_alert("t", offset=2, media_uri=None))

    # Its player is open, and nobody pressed play in it.
    pick(play(console.open(video="v:1")), "reject-0", "decide-save")
    browser_says(monkeypatch, played="v:2")
    pick(play(console.open(video="v:2")), "reject-0", "decide-save")
    page = pick(console.open(video="t"), "reject-0", "decide-save")

    assert [made.played for made in sent(console)] == [False, True, None]
    assert "3 decided, 1 without playing" in shown(console.redraw(page))


def test_a_decided_alert_says_so_and_can_be_hidden_by_the_address(console: Console) -> None:
    old, new = make_alert("v:1"), make_alert("v:2", offset=1, minute=1)
    console.publish(old, new)
    console.desk.decide(BO, DecisionForm("v:1", old.verdict_id, {"hate": Answer.REJECT}, Reason.CLEAR, "t"))

    assert "partly rejected by Bo &lt;i&gt;" in shown(console.open())
    page = console.open(decided="hidden")
    assert names(page) == ["open-v:2"]

    page.toggle(key="decided").set_value(False).run()
    assert names(page) == ["open-v:2", "open-v:1"]


def test_a_new_verdict_on_a_decided_video_is_not_hidden(console: Console) -> None:
    old = make_alert("v:1")
    console.publish(old)
    console.desk.decide(BO, DecisionForm("v:1", old.verdict_id, {"hate": Answer.REJECT}, Reason.CLEAR, "t"))

    console.publish(make_alert("v:1", offset=1, minute=1))

    assert names(console.open(decided="hidden")) == ["open-v:1"]


@pytest.mark.parametrize("make", [make_alert, make_verdict])
def test_a_verdict_that_changed_meanwhile_is_seen_and_then_decided(
    console: Console, make: Callable[..., Verdict]
) -> None:
    console.publish(make_alert("v:1"), make_alert("v:2", offset=1))
    page = pick(console.open(video="v:1"), "reject-0")

    console.history.write([again := make("v:1", offset=2, minute=1, caption="scored again", label="hate")], [])
    pick(page, "decide-save")
    assert "scored again while you looked" in shown(page)
    assert sent(console) == []
    assert "scored again</p>" in shown(page)

    pick(console.redraw(page), "confirm-0", "decide-save")
    assert [made.verdict_id for made in sent(console)] == [again.verdict_id]
    assert "scored again while you looked" not in shown(page)
    assert "open-v:2" in names(page)
    assert ("open-v:1" in names(page)) is (again.action is Action.ALERT)


def test_an_outage_keeps_what_was_chosen(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    console.publish(make_alert("v:1"))
    page = pick(console.open(video="v:1"), "reject-0")

    def down(*_: object) -> None:
        raise StoreUnavailable("down")

    with monkeypatch.context() as outage:
        outage.setattr(console.desk, "decide", down)
        pick(page, "decide-save")
        assert "nothing was written, and what you chose is kept" in shown(page)
    pick(page, "decide-save")

    assert len(sent(console)) == 1


def test_a_persons_last_decision_is_undone_and_stays_to_be_read(console: Console) -> None:
    console.publish(make_alert("v:1"))
    page = pick(console.open(video="v:1"), "reject-0", "decide-save", "undo")

    (made,) = sent(console)
    assert made.undone_at is not None
    assert "undone" in shown(page)
    assert not [button for button in page.button if button.key == "undo"]


@pytest.mark.parametrize("role", [Role.LEAD, Role.MODERATOR])
def test_who_leads_undoes_what_another_person_decided(console: Console, role: Role) -> None:
    console.role, may = role, role is Role.LEAD
    alert = make_alert("v:1")
    console.publish(alert)
    console.desk.decide(BO, DecisionForm("v:1", alert.verdict_id, {"hate": Answer.REJECT}, Reason.CLEAR, "t"))

    page = console.open(video="v:1")

    assert ["undo-other"] * may == [button.key for button in page.button if (button.key or "").startswith("undo")]
    if may:
        pick(page, "undo-other")
    assert (sent(console)[0].undone_at is not None) is may


def test_labels_of_strangers_stand_in_no_button(console: Console) -> None:
    console.publish(make_verdict("v:1", action="alert", label="**b**", label_scores={"**b**": 0.9, "<i>": 0.5}))

    page = console.open(video="v:1")

    assert all("**" not in button.label and "<" not in button.label for button in page.button)
    assert "<i>" not in shown(page)
