"""Analytics: how much, how harmful, where from and how fast, over a period; every figure from the aggregates."""

from dataclasses import replace

import streamlit as st

from core.access import Capability
from core.errors import StoreUnavailable
from core.errors_console import Forbidden
from dashboard import session, trend_blocks, trend_filters, trend_tables
from dashboard.cards import banner, empty, notice_lines
from dashboard.data.trends import Trends
from dashboard.frame import draw
from dashboard.language import say
from dashboard.notices import Notice
from dashboard.outage import comes_back, no_right
from dashboard.period import Period, window_of
from dashboard.resources import resources
from dashboard.trend_blocks import Look
from dashboard.trend_charts import DARK, LIGHT
from dashboard.trend_queries import ask, remembered
from dashboard.trend_rows import Values
from dashboard.updated import updated
from dashboard.viewer import viewer
from dashboard.wording import time_of_day

ROWS = (
    (trend_blocks.verdicts, trend_blocks.rate),
    (trend_blocks.scores, trend_blocks.pairs),
    (trend_tables.authors, trend_tables.hashtags),
    (trend_blocks.waits, trend_tables.models),
)


def page() -> None:
    """Draw the page; it changes when the person asks, never under the cursor."""
    choice, now, zone = trend_filters.chosen(), resources().clock.now(), session.zone()
    palette = DARK if st.context.theme.type == "dark" else LIGHT
    look = Look(viewer(), choice, window_of(choice, now, zone), now, zone, palette)
    st.container(key="head").title(say("Analytics"), anchor=False, width="content")
    if words := resources().settings.dashboard.banner:
        draw(banner(words))
    try:
        _figures(look)
    except Forbidden:
        draw(no_right(Capability.SEE_VERDICTS))


def _figures(look: Look) -> None:
    try:
        values = ask(look.person, Trends.values, look.choice, look.window).value.value
        found = ask(look.person, Trends.totals, look.choice, look.window)
    except StoreUnavailable:
        trend_filters.filters(look.choice, Values(), now=look.now, zone=look.zone)
        _outage(look, say("Nothing can be read until it does; scoring waits for it, and nothing is lost."))
        draw(empty(say("Nothing is known of this period"), say("Figures come by themselves once it answers again.")))
        return
    trend_filters.filters(look.choice, values, now=look.now, zone=look.zone)
    _outage(look, say("You see what was last known, each with its time."))
    now, before = found.value.value
    if not values.sources and not now.dead_letters:
        words = say("Waiting for the first video; counts follow within a minute.")
        draw(empty(say("Nothing is counted yet"), words, command="clipwarden produce clip.mp4"))
        return
    trend_tables.totals(replace(look, window=found.value.window), now, before)
    updated(found.at)
    if not now.videos:
        _no_videos()
        return
    for left, right in ROWS:
        for column, show in zip(st.columns(2, gap="small"), (left, right), strict=True):
            with column:
                show(look)
    trend_tables.challenges(look)


def _outage(look: Look, meanwhile: str) -> None:
    if since := remembered().down_since:
        what = say("The database does not answer since {time}.", time=time_of_day(since, look.zone))
        draw(notice_lines([Notice("bad", what, meanwhile)]))
        comes_back()


def _no_videos() -> None:
    draw(empty(say("No video in this period"), say("Nothing that these filters let through was judged in it.")))
    st.button(say("Show 30 days"), key="trend-longer", on_click=trend_filters.go_to, args=(Period.MONTH,))
