"""What is kept how long, as HTML. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from core.storage.periods import Kept, Periods
from core.storage.retention import Holding
from dashboard.cards import when
from dashboard.language import say
from dashboard.markup import Markup, div, span, tag, text
from dashboard.wording import NOTHING, count, size


def kept_words(kind: Kept) -> str:
    """The kind in the viewer's language."""
    words = {
        Kept.VERDICTS: say("Verdicts, with captions and evidence"),
        Kept.SIGHTINGS: say("Sightings: one row per record read"),
        Kept.DEAD_LETTERS: say("Dead letters"),
    }
    return words[kind]


def holdings_table(holdings: Sequence[Holding], now: datetime, zone: tzinfo) -> Markup:
    """What there is: kept for, rows, size, oldest; then what has no period."""
    head = (say("what"), say("kept for"), say("rows, estimated"), say("size"), say("oldest"))
    rows = [_holding(holding, now, zone) for holding in holdings]
    return div(
        "cw-kept",
        tag("table", _row("th", [text(cell) for cell in head]), *rows, cls="cw-table cw-table-numbers"),
        tag("table", *(_row("td", [text(name), text(until)]) for name, until in _others()), cls="cw-table"),
    )


def preview_line(going: Mapping[Kept, int], before: Periods, wanted: Periods) -> Markup:
    """What the choice would delete."""
    total = sum(going.values())
    if before == wanted:
        return span(say("Nothing is changed yet."), "cw-quiet")
    if not total:
        return span(say("This deletes nothing that is there now."), "cw-quiet")
    parts = [f"{kept_words(kind)}: {count(rows)}" for kind, rows in going.items() if rows]
    return div(
        "cw-notice cw-notice-bad",
        tag("b", text(say("{n} rows would be deleted for good.", n=count(total)))),
        span("; ".join(parts), "cw-origin"),
        role="status",
    )


def _others() -> list[tuple[str, str]]:
    return [
        (say("Videos (objects)"), say("until the video is forgotten: clipwarden forget")),
        (say("Decisions of moderators"), say("until the video is forgotten")),
        (say("Audit log"), say("for good; no row is ever changed")),
        (say("Items of ingestion"), say("until the video is forgotten")),
        (say("Deliveries of alert routes"), say("30 days after they ended")),
    ]


def _holding(holding: Holding, now: datetime, zone: tzinfo) -> Markup:
    oldest = when(holding.oldest, now, zone) if holding.oldest else text(NOTHING)
    days = say("{n} days", n=count(holding.days))
    rows = text(count(holding.rows) if holding.rows else NOTHING)
    return _row("td", [text(kept_words(holding.kind)), text(days), rows, text(size(holding.size_bytes)), oldest])


def _row(cell: str, cells: Sequence[Markup]) -> Markup:
    return tag("tr", *(tag(cell, one) for one in cells))
