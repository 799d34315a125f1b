"""The content audit's filters and order: each shows what the address says, and writes there what is chosen."""

from collections.abc import Sequence
from datetime import UTC, datetime, time

import streamlit as st

from core.labels import VerdictKind
from dashboard import audit_session, session
from dashboard.asked import EARLIEST, LATEST
from dashboard.audit_address import Address
from dashboard.audit_words import FIELDS, SORTS
from dashboard.data.search_query import Query, Sort
from dashboard.data.search_rows import Choices
from dashboard.language import say
from dashboard.wording import SHAPES

TYPED = ("words", "author", "hashtag", "video_id")
CHOSEN = ("label", "model_version", "source", "language")
FURTHER = (*CHOSEN, "score_min", "score_max", "since", "until")
SCORE = "score"


def filter_bar(address: Address, choices: Choices) -> None:
    """Draw the filters."""
    query = address.query
    with st.container(horizontal=True, vertical_alignment="center", key="audit-filters", gap="small"):
        for field in TYPED:
            _typed(field, query)
        _kinds(query)
        with st.popover(_further(query), icon=":material/tune:", key="audit-further"):
            for field in CHOSEN:
                _chosen(field, query, choices)
            _score(query)
            _instants(query)
        if query.narrowed:
            st.button(
                say("Clear filters"),
                key="audit-clear",
                icon=":material/filter_alt_off:",
                type="tertiary",
                on_click=audit_session.clear,
                args=(query.narrowed,),
            )


def order_bar(query: Query) -> None:
    """Draw what the answer is ordered by."""
    st.session_state["audit-sort"] = query.sort
    st.selectbox(
        say("Sort by"),
        list(Sort),
        key="audit-sort",
        format_func=lambda sort: say(SORTS[sort]),
        label_visibility="collapsed",
        width=150,
        on_change=lambda: audit_session.sort_by(st.session_state["audit-sort"]),
    )
    st.button(
        say("Rising") if query.ascending else say("Falling"),
        key="audit-order",
        icon=":material/arrow_upward:" if query.ascending else ":material/arrow_downward:",
        help=say("The database sorts all matching videos, not this page."),
        on_click=audit_session.turn_order,
    )


def clear_buttons(fields: Sequence[str]) -> None:
    """One for each of these filters."""
    with st.container(horizontal=True, horizontal_alignment="center", key="audit-clear-one", gap="small"):
        for field in fields:
            label = say("Clear this filter: {name}", name=say(FIELDS[field]))
            st.button(label, key=f"audit-clear-{field}", on_click=audit_session.clear, args=([field],))


def _typed(field: str, query: Query) -> None:
    key = _show(field, getattr(query, field))
    words = say(FIELDS[field])
    st.text_input(words, key=key, placeholder=words, label_visibility="collapsed", on_change=_keep, args=(field,))


def _kinds(query: Query) -> None:
    st.multiselect(
        say("Verdict"),
        list(VerdictKind),
        key=_show("verdicts", list(query.verdicts)),
        format_func=lambda kind: f"{SHAPES[kind]} {kind.value}",
        placeholder=say("Verdict"),
        label_visibility="collapsed",
        on_change=_keep,
        args=("verdicts",),
    )


def _further(query: Query) -> str:
    set_ = sum(field in FURTHER for field in query.narrowed)
    return say("More filters: {n} set", n=set_) if set_ else say("More filters")


def _chosen(field: str, query: Query, choices: Choices) -> None:
    # What is chosen stays on offer when no video has it any more, and what no new video has can be typed.
    chosen = getattr(query, field) or None
    st.selectbox(
        say(FIELDS[field]),
        sorted({*getattr(choices, field), *filter(None, [chosen])}),
        index=None,
        key=_show(field, chosen),
        placeholder=say("any"),
        accept_new_options=True,
        on_change=_keep,
        args=(field,),
    )


def _score(query: Query) -> None:
    low, high = query.score_min, query.score_max
    key = _show(SCORE, (0.0 if low is None else low, 1.0 if high is None else high))
    st.slider(say("Score"), 0.0, 1.0, key=key, step=0.01, on_change=_keep_score)


def _keep_score() -> None:
    low, high = st.session_state[_key(SCORE)]
    audit_session.put("score_min", low or None)
    audit_session.put("score_max", None if high >= 1 else high)


def _instants(query: Query) -> None:
    for field in ("since", "until"):
        at: datetime | None = getattr(query, field)
        key = _show(field, at and at.astimezone(session.zone()).replace(tzinfo=None, second=0, microsecond=0))
        st.datetime_input(
            say(FIELDS[field]),
            None,
            key=key,
            format="YYYY-MM-DD",
            min_value=datetime.combine(EARLIEST, time.min),
            max_value=datetime.combine(LATEST, time.max),
            on_change=_keep_instant,
            args=(field,),
        )


def _keep_instant(field: str) -> None:
    at: datetime | None = st.session_state[_key(field)]
    audit_session.put(field, at and at.replace(tzinfo=session.zone()).astimezone(UTC))


def _keep(field: str) -> None:
    audit_session.put(field, st.session_state[_key(field)])


def _show(field: str, value: object) -> str:
    """Let the widget show this; the address is the truth, also after the browser went back."""
    st.session_state[_key(field)] = value
    return _key(field)


def _key(field: str) -> str:
    return f"audit-{field}"
