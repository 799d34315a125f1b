"""The Database page's views, columns and messages as HTML. Pure."""

from collections.abc import Sequence

from core.errors_query import QueryStopped
from dashboard.data.catalogue import View
from dashboard.markup import Markup, div, span, tag, text
from dashboard.wording import count


def view_card(view: View, *, about: str) -> Markup:
    """A view's name, what it holds, how much of it."""
    return div(
        "cw-view",
        div("cw-view-head", tag("code", text(view.name)), span(about, "cw-quiet cw-number")),
        span(view.comment, "cw-quiet"),
    )


def columns(view: View, heads: Sequence[str]) -> Markup:
    """A view's columns with their types."""
    head = tag("tr", *(tag("th", text(name), scope="col") for name in heads))
    rows = [
        tag(
            "tr",
            tag("td", tag("code", text(column.name))),
            tag("td", span(column.type, "cw-quiet")),
            tag("td", span(column.comment, "cw-quiet")),
        )
        for column in view.columns
    ]
    return tag("table", tag("thead", head), tag("tbody", *rows), cls="cw-columns")


def trouble(error: Exception, message: str) -> Markup:
    """Why there are no rows."""
    tone = "warn" if isinstance(error, QueryStopped) else "bad"
    icon = span("!", "cw-notice-icon", aria_hidden="true")
    return div(f"cw-notice cw-notice-{tone} cw-sql-trouble", icon, span(message, ""), role="alert")


def about_rows(rows: int) -> str:
    """An estimate says that it is one."""
    return f"~{count(rows)}"
