"""The list of the live monitor: filters, the pill that holds back what is new, one card per video."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import streamlit as st

from dashboard import session
from dashboard.alerts import Alert, Filters, Lane, by_video, choices, matching, news
from dashboard.cards import card, empty
from dashboard.frame import draw
from dashboard.markup import Markup
from dashboard.reading import Reading
from dashboard.wording import count, plural

LANE_NAMES = {Lane.ALERTS: "Alerts", Lane.REVIEW: "Review band", Lane.ALL: "All"}
OPEN_FILTERS = ("label", "language", "source")


def alert_list(reading: Reading, now: datetime, *, zone: tzinfo, held: bool) -> Sequence[Alert]:
    """Draw the list.

    Returns:
        The rows that passed the filters, in the order shown.
    """
    fresh = by_video(reading.snapshot.verdicts)
    shown = session.hold(fresh, held=held)
    bar = st.container(horizontal=True, vertical_alignment="center", key="filters", gap="small")
    with bar:
        filters = _filters(shown)
    rows = matching(shown, filters)
    waiting = news(shown, matching(fresh, filters))
    if waiting:
        bar.button(
            f"{count(waiting)} new, show", key="show-new", on_click=session.release, icon=":material/arrow_upward:"
        )
    with st.container(key="list", gap=None):
        if rows:
            _rows(rows, now, zone)
        else:
            draw(_nothing(reading, fresh, filters))
    return rows


def _filters(rows: Sequence[Alert]) -> Filters:
    fields = {field: session.filter_value(field) for field in OPEN_FILTERS}
    lane = _lane(rows, fields)
    return Filters(lane, **{field: _choose(field, choices(rows, field)) for field in OPEN_FILTERS})


def _lane(rows: Sequence[Alert], fields: dict[str, str | None]) -> Lane:
    counts = {lane: len(matching(rows, Filters(lane, **fields))) for lane in Lane}
    # Not bound to the address by Streamlit: it would write the words on the button there, with the count in them.
    return Lane(
        st.segmented_control(
            "Show",
            list(Lane),
            default=session.lane(),
            required=True,
            format_func=lambda lane: f"{LANE_NAMES[lane]} {count(counts[lane])}",
            key=session.LANE_WIDGET,
            label_visibility="collapsed",
            on_change=session.keep_lane,
        )
    )


def _choose(field: str, offered: list[str]) -> str | None:
    # What is chosen stays on offer after its last row has left the view: a filter never falls off by itself.
    chosen = session.filter_value(field)
    picked: str | None = st.selectbox(
        field.capitalize(),
        sorted({*offered, chosen}) if chosen else offered,
        index=None,
        placeholder=field.capitalize(),
        key=field,
        label_visibility="collapsed",
        width=116,
        bind="query-params",
    )
    return picked


def _rows(rows: Sequence[Alert], now: datetime, zone: tzinfo) -> None:
    opened = session.opened()
    for place, row in enumerate(rows[: session.row_limit()]):
        with st.container(key=f"card-{place}", gap=None):
            draw(card(row, now, zone, selected=row.video_id == opened))
            st.button(
                f"Open alert {place + 1}", key=f"open-{row.video_id}", on_click=session.open_alert, args=(row.video_id,)
            )
    rest = len(rows) - session.row_limit()
    if rest > 0:
        more = f"Show {min(rest, session.PAGE_ROWS)} more of {count(rest)}"
        st.button(more, key="more", type="tertiary", on_click=session.show_more_rows)


def _nothing(reading: Reading, fresh: Sequence[Alert], filters: Filters) -> Markup:
    if not fresh and reading.live_down_since and reading.history_down_since:
        return empty("Nothing to show", "Neither Redis nor the database has answered since this console started.")
    if not fresh:
        return empty("Waiting for the first video", "Put one into the pipeline:", command="clipwarden produce clip.mp4")
    what = f"None of {plural(len(fresh), 'video')} in view"
    narrowed = [value for value in (filters.label, filters.language, filters.source) if value]
    if narrowed:
        return empty(f"Nothing matches {' · '.join(narrowed)}", f"{what} passes the filters; clear one of them.")
    return empty(
        f"No {LANE_NAMES[filters.lane].lower()} now", f"{what} asks for it. New ones appear here by themselves."
    )
