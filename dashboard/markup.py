"""The one place where text becomes HTML: whatever comes in is data, and is escaped. Pure."""

import html
from collections.abc import Iterable, Sequence
from typing import NewType

Markup = NewType("Markup", str)
"""HTML made here: its tags are ours, its text is escaped."""

# One line of output: Streamlit dedents what it is given, which would change the blanks of a caption over several lines.
# Control characters become their pictures: a browser swallows them, and a person should see that they are there.
_VISIBLE = {
    **{code: f"&#{0x2400 + code};" for code in range(0x20)},
    0x7F: "&#9249;",
    ord("\n"): "&#10;",
    ord("\t"): "&#9;",
}


def text(value: str) -> Markup:
    """The text as HTML that shows exactly it; control characters are shown as their pictures."""
    return Markup(html.escape(value).translate(_VISIBLE))


def join(*parts: Markup) -> Markup:
    """Pieces one after the other."""
    return Markup("".join(parts))


def tag(name: str, *children: Markup, **attributes: str) -> Markup:
    """An element; `cls` is its class, and underscores in attribute names become hyphens."""
    named = {("class" if key == "cls" else key.replace("_", "-")): value for key, value in attributes.items()}
    inside = "".join(f' {key}="{text(value)}"' for key, value in named.items())
    return Markup(f"<{name}{inside}>{''.join(children)}</{name}>")


def span(value: str, cls: str, **attributes: str) -> Markup:
    """Data in a classed span."""
    return tag("span", text(value), cls=cls, **attributes)


def div(cls: str, *children: Markup, **attributes: str) -> Markup:
    """A classed block."""
    return tag("div", *children, cls=cls, **attributes)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False) -> Markup:
    """A plain table; with `numbers`, all columns but the first are right-aligned figures."""
    titles = tag("tr", *(tag("th", text(name)) for name in head))
    body = [tag("tr", *(tag("td", text(cell), dir="auto") for cell in row)) for row in rows]
    cls = "cw-table cw-table-numbers" if numbers else "cw-table"
    return tag("table", tag("thead", titles), tag("tbody", *body), cls=cls)
