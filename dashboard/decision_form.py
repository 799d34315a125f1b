"""Confirm or reject, label by label, with a reason: what a person says of the open verdict."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

import streamlit as st

from core.access import Capability, Person
from core.errors import StoreUnavailable
from core.errors_console import AccessRefused, ReviewRefused, VerdictStale
from core.events import Verdict
from core.labels import HARMFUL_LABEL
from core.storage.reviews import MAX_NOTE_CHARS, Answer, Decision, DecisionForm, Reason, may_undo_others
from dashboard import queries, session, watching
from dashboard.decision_markup import decision_history, label_line
from dashboard.evidence import section
from dashboard.frame import draw
from dashboard.language import say, say_error
from dashboard.markup import div, span
from dashboard.resources import resources
from dashboard.viewer import viewer
from dashboard.wording import REASONS

_DRAFT, _TOLD = "draft", "decision-told"
KEYS = (("1", "2"), ("3", "4"), ("5", "6"), ("7", "8"))
"""Keys that confirm and reject the first labels."""


@dataclass(frozen=True)
class Draft:
    """What was chosen and not sent yet.

    Attributes:
        token: made with the draft, gone with it: what arrives twice is one decision.
    """

    verdict_id: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    labels: Mapping[str, Answer] = field(default_factory=dict)


def decision_form(verdict: Verdict, now: datetime, *, zone: tzinfo) -> None:
    """Draw what was decided, and what can be."""
    person = viewer()
    made = _made(person, verdict)
    if made:
        draw(section(say("Decisions"), decision_history(made, verdict.verdict_id, now, zone=zone)))
        _undo_buttons(person, made)
    if not person.may(Capability.DECIDE):
        draw(span(say("Your role reads decisions; making them takes a moderator."), "cw-quiet"))
        return
    with st.container(key="decide", gap="small"):
        draft = _draft(verdict)
        for place, label in enumerate(labels_of(verdict)):
            _label(verdict, draft, label, place=place)
        _send(verdict, draft)


def labels_of(verdict: Verdict) -> list[str]:
    """What can be said something of, the verdict's own label first, then by score; harm at all where nothing is."""
    scores = verdict.label_scores
    ordered = sorted(scores, key=lambda label: (label != verdict.label, -scores[label], label))
    known = [label for label in ordered if label != HARMFUL_LABEL]
    return known or [verdict.label or HARMFUL_LABEL]


def _made(person: Person, verdict: Verdict) -> list[Decision]:
    if queries.reading().history_down_since:
        return []
    try:
        return queries.decisions(person, verdict.video_id)
    except StoreUnavailable:
        draw(span(say("Earlier decisions cannot be read now."), "cw-quiet"))
        return []


def _draft(verdict: Verdict) -> Draft:
    found: Draft | None = st.session_state.get(_DRAFT)
    if found is None or found.verdict_id != verdict.verdict_id:
        found = Draft(verdict.verdict_id)
        st.session_state[_DRAFT] = found
    return found


def _label(verdict: Verdict, draft: Draft, label: str, *, place: int) -> None:
    with st.container(key=f"label-{place}", horizontal=True, vertical_alignment="center", gap="small"):
        draw(label_line(label, verdict.label_scores.get(label), leads=label == verdict.label))
        confirm, reject = KEYS[place] if place < len(KEYS) else (None, None)
        _answer(draft, label, Answer.CONFIRM, shortcut=confirm, place=place)
        _answer(draft, label, Answer.REJECT, shortcut=reject, place=place)


def _answer(draft: Draft, label: str, said: Answer, *, shortcut: str | None, place: int) -> None:
    is_confirm = said is Answer.CONFIRM
    st.button(
        say("Confirm") if is_confirm else say("Reject"),
        key=f"{said.value}-{place}",
        icon=":material/check:" if is_confirm else ":material/close:",
        type="primary" if draft.labels.get(label) is said else "secondary",
        shortcut=shortcut,
        on_click=_choose,
        args=(draft, label, said),
    )


def _choose(draft: Draft, label: str, said: Answer) -> None:
    """Choose an answer, or with a second press take it back."""
    now: Draft = st.session_state.get(_DRAFT) or draft
    if now.verdict_id != draft.verdict_id:
        return
    rest = {name: chosen for name, chosen in now.labels.items() if name != label}
    chosen = rest if now.labels.get(label) is said else {**rest, label: said}
    st.session_state[_DRAFT] = replace(now, labels=chosen)
    st.session_state.pop(_TOLD, None)


def _send(verdict: Verdict, draft: Draft) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="decide-send", gap="small"):
        st.selectbox(
            say("Reason"),
            list(Reason),
            format_func=lambda reason: say(REASONS[reason]),
            key=f"reason-{draft.token}",
            width=168,
        )
        st.text_input(say("Note"), key=f"note-{draft.token}", max_chars=MAX_NOTE_CHARS, placeholder=say("if need be"))
        st.button(
            say("Save"),
            key="decide-save",
            type="primary",
            shortcut="S",
            disabled=not draft.labels,
            on_click=_save,
            args=(verdict.video_id, draft.token),
        )
    if told := st.session_state.get(_TOLD):
        draw(div("cw-refused", span(told, ""), role="status"))


def _save(video_id: str, token: str) -> None:
    draft: Draft | None = st.session_state.get(_DRAFT)
    # The second click of a double click finds its draft sent.
    if draft is None or draft.token != token or not draft.labels:
        return
    form = DecisionForm(
        video_id,
        draft.verdict_id,
        draft.labels,
        st.session_state.get(f"reason-{token}") or Reason.CLEAR,
        token,
        note=(st.session_state.get(f"note-{token}") or "").strip(),
        played=watching.was_played(video_id),
    )
    told = _decided(form)
    if told is None:
        st.session_state.pop(_DRAFT, None)
        st.session_state.pop(_TOLD, None)
    else:
        st.session_state[_TOLD] = told
    queries.forget_decisions()


def _decided(form: DecisionForm) -> str | None:
    """Send it; None, or why it was not taken."""
    try:
        resources().reviews.decide(viewer(), form)
    except StoreUnavailable:
        return say("The database does not answer: nothing was written, and what you chose is kept.")
    except VerdictStale:
        _look_again(form.video_id)
        return say("This video was scored again while you looked. Look at the new verdict, then decide.")
    except (ReviewRefused, AccessRefused) as error:
        return say("The decision was not taken: {why}", why=say_error(error))
    return None


def _look_again(video_id: str) -> None:
    """Show what the video's verdict is now: the list holds the one before, and its decision would be refused again."""
    queries.forget_verdicts()
    try:
        verdict = queries.verdict(viewer(), video_id)
    except StoreUnavailable:
        verdict = None
    if verdict is None:
        session.release()
    else:
        session.take_row(verdict)


def _undo_buttons(person: Person, made: list[Decision]) -> None:
    standing = [each for each in made if each.undone_at is None]
    mine = next((each for each in standing if each.reviewer == person.user_id), None)
    others = next((each for each in standing if each.reviewer != person.user_id), None)
    with st.container(horizontal=True, key="undo-buttons", gap="small"):
        if mine is not None and person.may(Capability.DECIDE):
            _undo_button(say("Undo my last"), mine, key="undo", shortcut="Z")
        # Without a key: nobody undoes another's work by a slip of the hand.
        if others is not None and may_undo_others(person):
            _undo_button(say("Undo the last of another person"), others, key="undo-other", shortcut=None)


def _undo_button(label: str, decision: Decision, *, key: str, shortcut: str | None) -> None:
    icon, undone = ":material/undo:", (decision.decision_id,)
    st.button(label, key=key, icon=icon, type="tertiary", shortcut=shortcut, on_click=_undo, args=undone)


def _undo(decision_id: str) -> None:
    try:
        resources().reviews.undo(viewer(), decision_id)
    except StoreUnavailable:
        st.session_state[_TOLD] = say("The database does not answer: nothing was undone.")
    except (ReviewRefused, AccessRefused) as error:
        st.session_state[_TOLD] = say("Nothing was undone: {why}", why=say_error(error))
    queries.forget_decisions()
