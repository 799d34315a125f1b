"""Taking the answer away: all matching rows as a file, written while a bar shows how far it is."""

from pathlib import Path

import streamlit as st

from core.access import Capability, Person
from dashboard import audit_queries, export_link
from dashboard.data.search_query import Query
from dashboard.data.table_file import Format
from dashboard.frame import draw
from dashboard.language import say
from dashboard.markup import span
from dashboard.wording import count

_KEY = "audit"


def export_menu(person: Person) -> None:
    """The choice of a format; without the right to it, who has that."""
    may = person.may(Capability.EXPORT)
    with st.popover(
        say("Export"),
        icon=":material/download:",
        key="audit-export",
        disabled=not may,
        help=None if may else say("Your role may not export; ask a lead or an admin."),
    ):
        draw(span(say("All matching videos with all columns. The audit log notes it."), "cw-quiet"))
        export_link.format_buttons(_KEY)
        draw(span(say("In CSV, text that a spreadsheet would run as a formula gets a ' before it."), "cw-quiet"))


def export_line(person: Person, query: Query) -> None:
    """Under the bar: the export that runs, or the link to the one that is done."""
    if file_format := export_link.asked(_KEY):
        _run(person, query, file_format)
    export_link.link(_KEY, query)


def _run(person: Person, query: Query, file_format: Format) -> None:
    bar = st.progress(0.0, say("Counting…"))

    def show(written: int, total: int) -> None:
        words = say("{n} of {total} rows written", n=count(written), total=count(total))
        bar.progress(min(written / max(total, 1), 1.0), words)

    def write(path: Path) -> int:
        return audit_queries.export().save(person, query, path, file_format=file_format, progress=show)

    try:
        export_link.make(_KEY, person, query, file_format=file_format, write=write)
    finally:
        bar.empty()
