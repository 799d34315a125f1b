"""The Pipeline page's dead letters: by code, listed page by page, one whole; replayed one, a code, or all."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import streamlit as st

from core.access import Capability
from core.errors import StoreUnavailable
from core.storage.orders import CommandKind, OfLetter, OfLetters
from dashboard.ask import Asked, ask, question, replay_words
from dashboard.cards import empty, notice_lines
from dashboard.data.dead_letters import MOST_NEWER, CodeCount, LetterLine
from dashboard.frame import draw, titled
from dashboard.language import say
from dashboard.letter_cards import code_count, letter_line, letter_whole
from dashboard.letters_shown import PAGE, release, shown
from dashboard.markup import Markup, span, tag, text
from dashboard.notices import Notice
from dashboard.outage import not_yet
from dashboard.pipeline_processes import answers
from dashboard.resources import resources
from dashboard.session import in_place
from dashboard.viewer import viewer
from dashboard.watched import soon
from dashboard.wording import count, time_of_day

ALL = "all codes"
_PAGE_NUMBER, _OPEN = "page", "letter"
_DIGITS = 7


def letters_part(now: datetime, zone: tzinfo) -> datetime | None:
    """Draw it; returns when the list was read."""
    look = resources().platform.counts(viewer())
    if look.value is None:
        draw(_cannot_be_read() if look.down_since else not_yet())
        return None
    if look.down_since:
        what = say("The database does not answer since {time}.", time=time_of_day(look.down_since, zone))
        draw(notice_lines([Notice("bad", what, say("You see what was last known, each with its time."))]))
    if not look.value:
        draw(empty(say("No dead letters"), say("What cannot be used is kept here, with its reason and its bytes.")))
        return look.at
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _codes(look.value, now)
        answers(now, zone)
    with right:
        return _list(look.value, now, zone)


def _codes(rows: Sequence[CodeCount], now: datetime) -> None:
    everything = sum(row.open for row in rows)
    with st.container(horizontal=True, vertical_alignment="center", key="letters-head"):
        titled(say("By code"))
        _replay(None, everything, now, say("Replay all {n}", n=count(everything)))
    question(ALL)
    with st.container(key="codes", gap=None):
        by_code = {row.code: row for row in rows}
        for row in (by_code[code] for code in in_place("letter-codes", list(by_code))):
            with st.container(key=f"code-{row.code}", horizontal=True, vertical_alignment="center", gap="small"):
                draw(code_count(row))
                st.button(say("Show"), key=f"show-{row.code}", type="tertiary", on_click=_narrow, args=(row.code,))
                _replay(row.code, row.open, now, say("Replay {n}", n=count(row.open)))
            question(row.code)


def _replay(code: str | None, things: int, now: datetime, label: str) -> None:
    if not viewer().may(Capability.OPERATE):
        return
    place = code or ALL
    asked = Asked(
        place, CommandKind.REPLAY_DEAD_LETTERS, OfLetters(code=code, before=now), replay_words(things), things
    )
    st.button(
        label,
        key=f"replay-{place}",
        icon=":material/replay:",
        type="tertiary",
        disabled=not things,
        on_click=ask,
        args=(asked,),
    )


def _list(rows: Sequence[CodeCount], now: datetime, zone: tzinfo) -> datetime | None:
    code, page, opened = st.query_params.get("code"), _page(), st.query_params.get(_OPEN)
    narrowed = [row for row in rows if code in (None, row.code)]
    try:
        standing = shown(code, page, max((row.newest_at for row in narrowed), default=now))
    except StoreUnavailable:
        draw(_cannot_be_read())
        return None
    _bar(code, page, sum(row.letters for row in narrowed), standing.newer)
    with st.container(key="letters", gap=None):
        if opened and opened not in {line.key().subject() for line in standing.lines}:
            _elsewhere(opened, zone)
        for line in standing.lines:
            _line(line, opened, now, zone)
    return standing.at


def _bar(code: str | None, page: int, whole: int, newer: int) -> None:
    last = max(0, (whole - 1) // PAGE)
    with st.container(horizontal=True, vertical_alignment="center", key="letters-bar"):
        titled(say("Newest first"))
        if code:
            draw(code_chip(code))
            st.button(say("All codes"), key="all-codes", type="tertiary", on_click=_narrow, args=(None,))
        st.button(say("Newer"), key="letters-back", type="tertiary", disabled=page == 0, on_click=_go, args=(page - 1,))
        draw(span(f"{page + 1} / {last + 1}", "cw-quiet cw-number"))
        st.button(
            say("Older"), key="letters-on", type="tertiary", disabled=page >= last, on_click=_go, args=(page + 1,)
        )
        # Last, so that nothing beside it moves when it comes.
        if newer:
            label = say("{n} new, show", n=f"{MOST_NEWER - 1}+" if newer >= MOST_NEWER else count(newer))
            st.button(label, key="letters-new", icon=":material/arrow_upward:", on_click=_go, args=(0,))


def code_chip(code: str) -> Markup:
    """The code the list is narrowed to."""
    return tag("code", text(code))


def _line(line: LetterLine, opened: str | None, now: datetime, zone: tzinfo) -> None:
    subject = line.key().subject()
    # By the letter, not by its place: a click opens what stood under the cursor, whatever came meanwhile.
    with st.container(key=f"letter-{subject}", horizontal=True, vertical_alignment="center", gap="small"):
        draw(letter_line(line, now, zone))
        _open_button(subject, is_open=opened == subject)
    if opened == subject:
        _whole(line.key(), zone)


def _elsewhere(opened: str, zone: tzinfo) -> None:
    """The letter of the address, where it is on no page that is shown."""
    with st.container(key="letter-elsewhere", horizontal=True, vertical_alignment="center", gap="small"):
        draw(span(opened, "cw-quiet", dir="auto"))
        _open_button(opened, is_open=True)
    try:
        _whole(OfLetter.parse(opened), zone)
    except ValueError:
        draw(_gone())


def _open_button(subject: str, *, is_open: bool) -> None:
    label, key = (say("Close"), None) if is_open else (say("Open"), subject)
    st.button(label, key=f"open-letter-{subject}", type="tertiary", on_click=_open, args=(key,))


def _whole(key: OfLetter, zone: tzinfo) -> None:
    person, letters = viewer(), resources().platform.letters
    with st.container(key="letter-whole", gap="small"):
        try:
            row = soon(lambda: letters.one(person, key))
        except StoreUnavailable:
            draw(_cannot_be_read())
            return
        if row is None:
            draw(_gone())
            return
        draw(letter_whole(row, zone))
        if viewer().may(Capability.OPERATE):
            words = say("Send this record into the pipeline again, with its original timestamp.")
            asked = Asked(key.subject(), CommandKind.REPLAY_DEAD_LETTER, key, words)
            st.button(say("Replay this one"), key="replay-one", icon=":material/replay:", on_click=ask, args=(asked,))
        question(key.subject())


def _cannot_be_read() -> Markup:
    return empty(say("Dead letters cannot be read"), say("The database does not answer. Nothing is lost."))


def _gone() -> Markup:
    return empty(say("This dead letter is gone"), say("It expired, or its video was erased."))


def _page() -> int:
    """The page of the list that the address names, from 0."""
    named = st.query_params.get(_PAGE_NUMBER, "")
    return max(0, int(named) - 1) if named.isascii() and named.isdigit() and len(named) < _DIGITS else 0


def _go(page: int) -> None:
    release()
    if page:
        st.query_params[_PAGE_NUMBER] = str(page + 1)
    else:
        st.query_params.pop(_PAGE_NUMBER, None)


def _narrow(code: str | None) -> None:
    _go(0)
    if code is None:
        st.query_params.pop("code", None)
    else:
        st.query_params["code"] = code


def _open(subject: str | None) -> None:
    if subject is None:
        st.query_params.pop(_OPEN, None)
    else:
        st.query_params[_OPEN] = subject
