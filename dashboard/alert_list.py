"""The list of the live monitor: filters, the pill that holds back what is new, one card per group of videos."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

import streamlit as st

from core.errors import StoreUnavailable
from core.storage.reviews import Decision
from dashboard import queries, session
from dashboard.alerts import Alert, Filters, Lane, by_video, choices, matching, news
from dashboard.cards import empty
from dashboard.data.wellness import Veil
from dashboard.frame import draw
from dashboard.group_list import group_list
from dashboard.groups import grouped, leads
from dashboard.language import say
from dashboard.markup import Markup
from dashboard.reading import Reading
from dashboard.viewer import viewer
from dashboard.wording import count

LANE_NAMES = {Lane.ALERTS: "Alerts", Lane.REVIEW: "Review band", Lane.ALL: "All"}
FIELD_NAMES = {"label": "Label", "language": "Language", "source": "Source"}


def alert_list(reading: Reading, now: datetime, *, zone: tzinfo, held: bool, stills: Veil | None) -> Sequence[Alert]:
    """Draw the list; `stills` are blurred so, or not drawn at all.

    Returns:
        The rows that passed the filters, in the order shown.
    """
    fresh = by_video(reading.snapshot.verdicts)
    shown = session.hold(fresh, held=held)
    decided = _decided(reading, fresh, shown)
    bar = st.container(horizontal=True, vertical_alignment="center", key="filters", gap="small")
    with bar:
        filters = _filters(shown, decided)
    groups = grouped(matching(shown, filters))
    waiting = news(leads(groups), leads(grouped(matching(fresh, filters))))
    if waiting:
        label = say("{n} new, show", n=count(waiting))
        bar.button(label, key="show-new", on_click=session.release, icon=":material/arrow_upward:")
    with st.container(key="list", gap=None):
        if groups:
            group_list(groups, decided, now, zone=zone, stills=stills)
        else:
            draw(_nothing(reading, fresh, filters))
    return [row for group in groups for row in group.rows]


def alerts_now(reading: Reading) -> list[Alert]:
    """What there is to look at in the lane of alerts, one row a group, whatever the list shows."""
    return leads(grouped(matching(by_video(reading.snapshot.verdicts), Filters())))


def _decided(reading: Reading, *lists: Sequence[Alert]) -> Mapping[str, Decision]:
    """The decisions that stand, by the verdict they are about; none while the database is away."""
    if reading.history_down_since:
        return {}
    try:
        found = queries.standing(viewer(), {row.video_id for rows in lists for row in rows})
    except StoreUnavailable:
        return {}
    return {decision.verdict_id: decision for decision in found.values()}


def _filters(rows: Sequence[Alert], decided: Mapping[str, Decision]) -> Filters:
    fields = {field: session.filter_value(field) for field in FIELD_NAMES}
    without = frozenset() if session.shows_decided() else frozenset(decided)
    lane = _lane(rows, Filters(Lane.ALL, **fields, without=without))
    narrowed = Filters(lane, **{field: _choose(field, choices(rows, field)) for field in FIELD_NAMES}, without=without)
    st.toggle(
        say("Hide decided"), value=not session.shows_decided(), key=session.DECIDED, on_change=session.keep_decided
    )
    return narrowed


def _lane(rows: Sequence[Alert], filters: Filters) -> Lane:
    counts = {lane: len(matching(rows, replace(filters, lane=lane))) for lane in Lane}
    # Not bound to the address by Streamlit: it would write the words on the button there, with the count in them.
    return Lane(
        st.segmented_control(
            say("Show"),
            list(Lane),
            default=session.lane(),
            required=True,
            format_func=lambda lane: f"{say(LANE_NAMES[lane])} {count(counts[lane])}",
            key=session.LANE_WIDGET,
            label_visibility="collapsed",
            on_change=session.keep_lane,
        )
    )


def _choose(field: str, offered: list[str]) -> str | None:
    # What is chosen stays on offer after its last row has left the view: a filter never falls off by itself.
    chosen = session.filter_value(field)
    picked: str | None = st.selectbox(
        say(FIELD_NAMES[field]),
        sorted({*offered, chosen}) if chosen else offered,
        index=None,
        placeholder=say(FIELD_NAMES[field]),
        key=field,
        label_visibility="collapsed",
        width=116,
        bind="query-params",
    )
    return picked


def _nothing(reading: Reading, fresh: Sequence[Alert], filters: Filters) -> Markup:
    if not fresh and reading.live_down_since and reading.history_down_since:
        never = say("Neither Redis nor the database has answered since this console started.")
        return empty(say("Nothing to show"), never)
    if not fresh:
        first = say("Put one into the pipeline:")
        return empty(say("Waiting for the first video"), first, command="clipwarden produce clip.mp4")
    videos = count(len(fresh))
    narrowed = [value for value in (filters.label, filters.language, filters.source) if value]
    if narrowed:
        passed = say("None of the {n} videos in view passes the filters; clear one of them.", n=videos)
        return empty(say("Nothing matches {filters}", filters=" · ".join(narrowed)), passed)
    if filters.without and matching(fresh, replace(filters, without=frozenset())):
        return empty(say("Everything here is decided"), say("New ones appear by themselves."))
    wanted = say("None of the {n} videos in view asks for it. New ones appear here by themselves.", n=videos)
    titles = {Lane.ALERTS: say("No alerts now"), Lane.REVIEW: say("Nothing in the review band now")}
    return empty(titles.get(filters.lane, say("Nothing to show")), wanted)
