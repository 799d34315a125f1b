"""The Ingestion page's rows as HTML. Pure."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from core.storage.ledger import Item, ItemState
from dashboard.arrivals import ENDED_BADLY, MEANINGS, STATES, CodeRow, SourceRow, origin
from dashboard.cards import when
from dashboard.language import say
from dashboard.markup import Markup, div, span, tag, text
from dashboard.notices import Notice
from dashboard.wording import NOTHING, code_meaning, count, time_of_day


def source_card(row: SourceRow) -> Markup:
    """A source's name, whether it is paused, and its items by state."""
    paused = span(say("paused"), "cw-paused", title=say("No item of it is given out until it is resumed."))
    return div(
        "cw-source",
        div("cw-source-name", span(row.source, "cw-label"), paused if row.is_paused else text("")),
        div("cw-states", *(_state(state, row.by_state.get(state, 0)) for state in ItemState)),
    )


def code_card(row: CodeRow) -> Markup:
    """A code, how often, from where, and what it means in the error's own words."""
    return div(
        "cw-code",
        div("cw-code-head", tag("code", text(row.code)), span(count(row.items), "cw-number")),
        span(code_meaning(row.code), ""),
        span(", ".join(row.sources), "cw-quiet"),
    )


def trouble_list(items: Sequence[Item], now: datetime, zone: tzinfo) -> Markup:
    """The items that ended badly last: what, why, when."""
    return div("cw-troubles", *(_trouble(item, now, zone) for item in items))


def ledger_notices(down_since: datetime | None, zone: tzinfo) -> list[Notice]:
    """What is wrong with the ledger itself."""
    if down_since is None:
        return []
    what = say("The database does not answer since {time}.", time=time_of_day(down_since, zone))
    return [Notice("bad", what, say("What you see is the last known. Ingestion waits for it; nothing is lost."))]


def _state(state: ItemState, items: int) -> Markup:
    tone = "cw-tone-bad" if items and state in ENDED_BADLY else ""
    number = span(count(items) if items else NOTHING, "cw-number")
    return div(
        f"cw-state-count {tone}".strip(), span(say(STATES[state]), "cw-quiet"), number, title=say(MEANINGS[state])
    )


def _trouble(item: Item, now: datetime, zone: tzinfo) -> Markup:
    return div(
        "cw-trouble",
        div(
            "cw-card-head",
            tag("code", text(item.code or NOTHING)),
            span(f"{item.source}, {say(STATES[item.state])}", "cw-quiet"),
            when(item.updated_at, now, zone),
        ),
        span(origin(item), "cw-origin", dir="auto"),
        span(item.message or "", "cw-quiet", dir="auto"),
    )
