"""Analytics' period and filters: widgets that stand in the address, so that a look can be sent to a colleague."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

import streamlit as st

from dashboard.asked import EARLIEST, LATEST
from dashboard.language import say
from dashboard.period import Choice, Period, address_of, choice_of
from dashboard.trend_rows import Values

_PERIOD = "trend-period"
_DAYS = {"from": "trend-from", "to": "trend-to"}
_FILTERS = ("source", "language", "label")
_OTHERS = ("period", *_DAYS, *_FILTERS)
_VIEW, _VIEW_WIDGET = "view", "trend-view"


def chosen() -> Choice:
    """What the address asks for."""
    return choice_of(st.query_params)


def filters(choice: Choice, values: Values, *, now: datetime, zone: tzinfo) -> None:
    """The row of widgets."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="trend-filters"):
        names = {**{period: period.value for period in Period}, Period.CUSTOM: say("Custom")}
        st.segmented_control(
            say("Period"),
            list(Period),
            format_func=names.__getitem__,
            key=_show(_PERIOD, choice.period),
            required=True,
            on_change=_keep_period,
            args=(now.astimezone(zone).date(),),
        )
        if choice.first and choice.last:
            for name, day, words in (("from", choice.first, say("From")), ("to", choice.last, say("To"))):
                _day(name, day, words)
        titles = (say("Source"), say("Language"), say("Label"))
        offered = (values.sources, values.languages, values.labels)
        for name, title, options in zip(_FILTERS, titles, offered, strict=True):
            _select(name, title, options, getattr(choice, name))


def view(names: Mapping[str, str]) -> str:
    """The way verdicts are shown, one of these by their names in the address; the first unless it says another."""
    usual, asked = next(iter(names)), st.query_params.get(_VIEW, "")
    shown: str | None = st.segmented_control(
        say("Show"),
        list(names),
        format_func=names.__getitem__,
        key=_show(_VIEW_WIDGET, asked if asked in names else usual),
        label_visibility="collapsed",
        required=True,
        on_change=_keep_view,
        args=(usual,),
    )
    return shown or usual


def go_to(period: Period) -> None:
    """Look at another period."""
    _write(Choice(period, source=chosen().source, language=chosen().language, label=chosen().label))


def _day(name: str, day: date, words: str) -> None:
    key = _show(_DAYS[name], day)
    st.date_input(
        words, key=key, min_value=EARLIEST, max_value=LATEST, on_change=_keep_day, args=(name,), width=140
    )  # fmt: skip


def _select(name: str, title: str, options: Sequence[str], value: str | None) -> None:
    # A value from the address that is not offered is still what is shown.
    every = [*options, value] if value and value not in options else list(options)
    st.selectbox(
        title,
        every,
        index=None,
        placeholder=say("All"),
        key=_show(f"trend-{name}", value),
        on_change=_keep_filter,
        args=(name,),
        width=160,
    )


def _keep_period(today: date) -> None:
    period = Period(st.session_state[_PERIOD])
    is_custom = period is Period.CUSTOM
    first, last = (today - timedelta(days=6), today) if is_custom else (None, None)
    now = chosen()
    _write(Choice(period, first, last, now.source, now.language, now.label))


def _keep_day(name: str) -> None:
    day: date = st.session_state[_DAYS[name]]
    now = chosen()
    first, last = (day, max(day, now.last or day)) if name == "from" else (min(day, now.first or day), day)
    # Both: a day beyond the other takes it along, and the period stays one that can be shown.
    _write(Choice(Period.CUSTOM, first, last, now.source, now.language, now.label))


def _keep_filter(name: str) -> None:
    value = st.session_state[f"trend-{name}"]
    if value is None:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value


def _keep_view(usual: str) -> None:
    if (view := st.session_state[_VIEW_WIDGET]) == usual:
        st.query_params.pop(_VIEW, None)
    else:
        st.query_params[_VIEW] = view


def _show(key: str, value: object) -> str:
    """Let the widget show this; the address is the truth, also after the browser went back."""
    st.session_state[key] = value
    return key


def _write(choice: Choice) -> None:
    for name in _OTHERS:
        st.query_params.pop(name, None)
    for name, value in address_of(choice).items():
        st.query_params[name] = value
